//! Virtual routers: who holds a virtual address on a link. RFC 9568, RFC 3768.

mod accept;
mod advert;
mod agenda;
mod announce;
mod backup;
#[cfg(test)]
mod bench;
mod election;
mod event;
mod fitness;
mod group;
mod index;
mod learnt;
mod links;
mod outbox;
mod packet;
mod record;
mod reject;
mod router;
mod settings;
mod slots;
mod speak;
mod state;
mod station;
mod table;
mod timers;
mod track;
mod view;
mod wants;

pub use advert::ChecksumSeen;
pub use event::{Cause, Event, Notice, StateName};
pub use learnt::LearntPeer;
pub use outbox::Dropped;
pub use packet::{Received, Transmit};
pub use record::{Counters, Transition};
pub use reject::Reject;
pub use settings::{
    Announce, Centiseconds, ChecksumForm, Command, GroupSettings, Name, Password, Peers, Preempt,
    Priority, RouterSettings, Settings, StartAs, TrackLink, TrackScript, TrackedScript,
    UnicastPeer, Version, VirtualAddress, Vrid, Weight,
};
pub use table::{Input, Table};
pub use track::Verdict;
pub use view::{
    ActiveView, AddressView, GroupView, RouterView, ScriptView, Standing, Times, TrackedThing,
    TrackedView, View,
};
