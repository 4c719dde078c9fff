//! The real daemon in network namespaces, beside the real keepalived: demo, drills, benches.
//!
//! A [`cluster`] is a handful of network namespaces joined by bridges; a [`daemon`] runs in one of
//! them; a client ([`echo`]) asks the virtual address at a steady pace and keeps the record
//! ([`replies`]), so that every figure is what a client saw. A [`drill`] is told once and played
//! by keepalived and by mainstay alike.

mod leash;
mod worker;

pub mod adverts;
pub mod bench;
pub mod cluster;
pub mod conntrackd;
pub mod daemon;
pub mod demo;
pub mod directory;
pub mod drill;
pub mod echo;
pub mod frr;
pub mod loss;
pub mod nft;
pub mod nginx;
pub mod pair;
pub mod program;
pub mod replies;
pub mod snapshot;
pub mod stream;
pub mod verdicts;
pub mod wait;
pub mod watch;
pub mod web;

use mainstay_linux::userns::{self, NotPermitted};
use rustix::mount::{MountPropagationFlags, mount_change};

/// Makes sure that this process may make network namespaces, in a user namespace of its own if
/// need be. Call it first thing in `main`, before there is a second thread.
///
/// # Errors
/// Neither is permitted; the sentence says what to do.
pub fn permission() -> Result<(), NotPermitted> {
    if userns::may_make_namespaces() { Ok(()) } else { userns::enter_user_namespace() }
}

/// Gives this process mounts of its own: what it mounts from now on, only it and its children
/// see. Call it before there is a second thread.
///
/// # Errors
/// Not permitted without CAP_SYS_ADMIN.
pub fn own_mounts() -> std::io::Result<()> {
    userns::enter_mount_namespace()?;
    let flags = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    Ok(mount_change("/", flags)?)
}
