//! One node: all machines together, the only room where protocols meet.
//!
//! The daemon and the simulator drive an [`Engine`] alike. It keeps a mirror of the kernel from the
//! changes that it is told, lets the protocols look at it, and plans the steps from what is there to
//! what they want. Steps that the kernel refused, and addresses that another program takes away again
//! and again, are held back for a while, so that no disagreement fills the machine.
//!
//! It knows no text, no socket and no clock. It holds two protocols: `vrrp` says who holds
//! an address, `bfd` whether a peer is alive; they know nothing of each other and meet here.

mod carriers;
mod event;
mod holdback;
mod input;
mod node;
mod outgoing;
mod outside;
mod settings;
mod status;
mod telling;
mod watch;

pub use event::Event;
pub use holdback::Refused;
pub use input::{Command, Input};
pub use mainstay_vrrp::{NeighbourSeen, Received};
pub use node::Engine;
pub use outgoing::{Reject, Transmit};
pub use outside::{
    InitialLevel, ParameterForm, Parameters, ProcessPattern, WatchedFile, WatchedProcess,
};
pub use settings::{BfdSession, Detection, Node, Notify, ReloadTime, Settings};
pub use status::{Origin, Status, Taken, WatchView, Will};

pub use telling::{Dumps, Fifo, JsonVersion, Mail, MailSecurity, Telling, TimedCommand};

/// The settings and events of the protocols, handed on to the rooms above.
pub mod vrrp {
    pub use mainstay_vrrp::*;
}

/// As [`vrrp`].
pub mod bfd {
    pub use mainstay_bfd::*;
}
