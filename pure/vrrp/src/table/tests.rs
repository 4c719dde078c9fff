//! Many routers together, as sentences.

mod election;
mod groups;
mod laws;
mod reload;
mod unfit;
