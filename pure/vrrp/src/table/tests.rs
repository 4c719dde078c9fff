//! Many routers together, as sentences.

mod election;
mod gauges;
mod groups;
mod laws;
mod reload;
mod unfit;
