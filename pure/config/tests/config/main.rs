//! Texts to settings and faults, for both languages.

#![expect(clippy::disallowed_methods, reason = "tests read the files that they are about")]

mod articles;
mod dump;
mod limits;
mod round_trip;
mod samples;
mod shown;
mod support;
