//! Texts to settings and faults, for both languages.

#![expect(clippy::disallowed_methods, reason = "tests read the files that they are about")]
#![allow(clippy::disallowed_types, reason = "tests measure, and run keepalived to compare")]

mod articles;
mod bfd;
mod commands;
mod dump;
mod hmac;
mod leftovers;
mod lexer;
mod limits;
mod names;
mod native;
mod polling;
mod round_trip;
mod samples;
mod shown;
mod support;
mod surprises;
