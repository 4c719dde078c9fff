//! Programs that the operator asked for: tracked scripts and notifications.
//!
//! Each runs in a process group of its own with nothing on its standard streams and the daemon's
//! environment less `IFS`, `LD_PRELOAD` and `LD_LIBRARY_PATH`. None of them can hold anything up:
//! this side of the daemon is apart from the engine's.

pub(crate) mod notify;
pub(crate) mod program;
pub(crate) mod security;
pub(crate) mod tracked;
