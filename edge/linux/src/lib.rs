//! Linux: namespaces, links, the kernel's mirror, sockets, clock, processes and files.
//!
//! Adapters translate and decide nothing: bytes and metadata become plain values, steps become
//! netlink requests. This is the only crate of the workspace with `unsafe` code.

#![deny(unsafe_op_in_unsafe_fn)]

mod batch;
mod beside;
mod control;
mod errno;
mod firewall;
mod netlink;
mod sockopt;
mod stamps;

pub mod advert;
pub mod bfd;
pub mod capabilities;
pub mod carrier;
pub mod child;
pub mod clock;
pub mod domains;
pub mod entropy;
pub mod frames;
pub mod kernel;
pub mod neighbours;
pub mod netns;
pub mod process;
pub mod process_events;
pub mod pulse;
pub mod reactor;
pub mod realtime;
pub mod signals;
pub mod topology;
pub mod userns;

pub use batch::BATCH;

#[cfg(test)]
mod testing;
