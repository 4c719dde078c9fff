//! One node: all machines together, the only room where protocols meet.
//!
//! The daemon and the simulator drive an [`Engine`] alike. Today it holds one protocol, `vrrp`.

mod event;
mod holdback;
mod input;
mod node;
mod settings;
mod status;

pub use event::Event;
pub use holdback::Refused;
pub use input::{Command, Input};
pub use mainstay_vrrp::{Received, Transmit};
pub use node::Engine;
pub use settings::{Node, Notify, Settings};
pub use status::{Status, Taken, Will};

/// The settings and events of the protocols, handed on to the rooms above.
pub mod vrrp {
    pub use mainstay_vrrp::*;
}
