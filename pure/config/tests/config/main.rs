//! Texts to settings and faults, for both languages.

mod articles;
mod round_trip;
mod samples;
mod shown;
mod support;
