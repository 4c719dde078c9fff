//! What came about, as lines that a person understands: the catalogue of what is said.

mod sentence;

use std::time::SystemTime;

use mainstay_engine::Event;

use crate::log;

/// Writes what came about at a moment.
pub(crate) fn tell(event: &Event, at: SystemTime) {
    log::write(sentence::of(event), at);
}
