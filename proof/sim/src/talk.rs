//! Conversations with one node, as text for somebody who knows the RFC and not Rust.
//!
//! A talk has a caption, what is `given`, and then lines `TIME > what the node is told`, each followed by
//! `< what it answers`. [`play`] plays it against an engine and gives the same talk back with
//! the answers that came. The kernel of a talk carries steps out at once.

mod answers;
mod given;
mod play;
mod told;
mod words;

pub use given::Given;
pub use play::{Conversation, play};
pub use told::{hex, like_one_of};
pub use words::Words;
pub(crate) use words::length;
