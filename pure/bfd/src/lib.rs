//! Is a peer alive, in milliseconds: BFD over one hop. RFC 5880, RFC 5881.

mod event;
mod packet;
mod reject;
mod settings;
mod view;

pub use event::{DownCause, Event};
pub use packet::{PAYLOAD_MAX, PORT, Payload, Peer, Received, Transmit};
pub use reject::Reject;
pub use settings::{
    Authentication, AuthenticationKind, IDLE_TX, INTERVAL, Key, MULTIPLIER, PACKETS_PER_SECOND_MAX,
    SessionSettings,
};
pub use view::{Counters, SessionView, State};
