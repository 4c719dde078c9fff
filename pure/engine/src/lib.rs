//! One node: all machines together, the only room where protocols meet.
//!
//! The daemon and the simulator drive an [`Engine`] alike. Today it holds one protocol, `vrrp`.

mod input;
mod settings;

pub use input::{Command, Input};
pub use mainstay_vrrp::{Received, Transmit};
pub use settings::{Node, Notify, Settings};

/// The settings and events of the protocols, handed on to the rooms above.
pub mod vrrp {
    pub use mainstay_vrrp::*;
}
