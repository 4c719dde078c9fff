//! Text to settings: TOML and keepalived.conf, every fault at its place.
//!
//! This room reads nothing itself. The edge hands in [`Sources`], which finds files, and
//! [`Surroundings`], which says what else a file may refer to; what comes back is [`Loaded`]: the
//! settings if the text is acceptable, every [`Fault`] at once, and the texts that the faults point
//! into. [`keepalived::load`] reads keepalived.conf as keepalived does, [`native::load`] reads
//! mainstay's own TOML, [`native::write`] writes it.
//!
//! A fault is an error when something that was written does not come about; a warning when it
//! comes about otherwise than its author is likely to think; a notice when it is good to know.

mod codes;
mod fault;
mod iproute;
pub mod keepalived;
mod limits;
mod loaded;
mod namespaces;
pub mod native;
mod render;
mod report;
mod secret;
mod sources;
mod suggest;
mod virtual_links;

pub use codes::Code;
pub use fault::{Fault, Label, Severity};
pub use loaded::Loaded;
pub use render::render;
pub use report::{Related, Report, reports};
pub use sources::{
    FILE_SIZE_MAX, FileId, Found, Place, SourceMap, Sources, Span, Surroundings, Unreadable,
};
