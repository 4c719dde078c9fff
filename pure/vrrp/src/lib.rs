//! Virtual routers: who holds a virtual address on a link. RFC 9568, RFC 3768.
//!
//! Several machines share an address. One of them is Active: it holds the address and says so again
//! and again. The others are Backups: when they hear nothing for the active-down interval, the one
//! of highest priority takes over. What keepalived adds is here as well: Fault, tracked links and
//! scripts, sync groups, preempt delay, unicast peers, version 2 passwords.
//!
//! [`Table`] is the machine. It is told of packets, of changes of the kernel, of results of scripts,
//! of settings; it answers with advertisements and announcements to send, with events, and with the
//! addresses that it wants on which links. Inside, from the ground up:
//!
//! - `advert` takes packets apart and puts them together; `accept` says which are used;
//! - `election`, `timers`, `track`, `fitness` decide, as pure functions;
//! - `backup`, `state`, `announce` are the states with the timers that each of them owns, and the
//!   drawing of them;
//! - `station` is a router's place on its links, from where it speaks; `router` is one router;
//! - `group` says what routers do to one another; `table` is all of them.
//!
//! Of the kernel it wants the virtual addresses of its Active routers, and the absence of those of
//! all others. It leaves out: AH authentication, and answering for addresses (the kernel
//! does that).

mod accept;
mod advert;
mod agenda;
mod announce;
mod authentication;
mod backup;
#[cfg(test)]
mod bench;
mod debounce;
mod election;
mod event;
mod evidence;
mod failures;
mod fitness;
mod gauge;
mod group;
mod hmac;
mod hold;
mod index;
mod input;
mod learnt;
mod links;
mod name;
mod outbox;
mod packet;
mod record;
mod reject;
mod router;
mod settings;
mod slots;
mod speak;
mod stamp;
mod state;
mod station;
mod table;
mod timers;
mod track;
mod verdict;
mod view;
mod wants;
mod weight;
mod witness;

pub use advert::ChecksumSeen;
pub use debounce::LinkDelay;
pub use event::{Cause, Event, HandoverFailure, Notice, StateName};
pub use evidence::{Evidence, TrackedThing};
pub use gauge::{Gauge, GaugeKind, Reading, TrackGauge, TrackedGauge};
pub use input::{Input, Silence};
pub use learnt::LearntPeer;
pub use outbox::Dropped;
pub use packet::{NeighbourSeen, Payload, Place, Received, Transmit};
pub use record::{Counters, Transition};
pub use reject::Reject;
pub use settings::{
    Announce, Authentication, Centiseconds, ChecksumForm, Command, Fixed, Freshness, GroupSettings,
    Hearing, Hmac, HmacKey, HmacMode, KernelSide, Name, Pacing, Password, Peers, Preempt, Priority,
    RouterSettings, Routing, Settings, StartAs, TrackLink, TrackScript, TrackedScript, UnicastPeer,
    Version, VirtualAddress, VirtualLinks, VirtualRoute, Vrid, Weight, usual_group,
};
pub use table::Table;
pub use track::Verdict;
pub use view::{
    ActiveView, AddressView, GaugeView, GroupView, HandoverView, RouterView, ScriptView, Standing,
    Times, TrackedView, View,
};
