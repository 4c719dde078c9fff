//! Many routers together, as sentences.

mod election;
mod gauges;
mod groups;
mod handover;
mod laws;
mod loss;
mod pacing;
mod reload;
mod signing;
mod unfit;
mod witness;
