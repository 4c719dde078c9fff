//! Virtual routers: who holds a virtual address on a link. RFC 9568, RFC 3768.

mod event;
mod packet;
mod reject;
mod settings;

pub use event::{Cause, Event, Notice, StateName};
pub use packet::{Received, Transmit};
pub use reject::Reject;
pub use settings::{
    Announce, Centiseconds, ChecksumForm, Command, GroupSettings, Name, Password, Peers, Preempt,
    Priority, RouterSettings, Settings, StartAs, TrackLink, TrackScript, TrackedScript,
    UnicastPeer, Version, VirtualAddress, Vrid, Weight,
};
