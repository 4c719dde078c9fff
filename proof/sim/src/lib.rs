//! Whole clusters in one thread from one seed, and the other proofs that need no kernel.

mod bounds;
mod checkers;
mod client;
mod clock;
mod cluster;
mod control;
mod drill;
mod exercise;
mod fuzzed;
mod kernel;
pub mod laws;
mod links;
mod message;
mod model;
mod random;
mod scenario;
mod shrink;
mod signed;
mod talk;
mod tally;
mod transcript;
mod world;

pub use drill::{ALL as DRILLS, Drill};
pub use exercise::{Exercise, advert, script};
pub use fuzzed::control;
pub use kernel::{Answer, Kernel};
pub use message::{Message, Sum, checksum};
pub use random::Random;
pub use scenario::Scenario;
pub use talk::{Conversation, Given, Words, hex, like_one_of, play};
pub use tally::Tally;
pub use transcript::Transcript;
pub use world::{Broken, Kind, Outcome, run, smallest};
