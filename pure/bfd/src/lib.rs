//! Is a peer alive, in milliseconds: BFD over one hop. RFC 5880, RFC 5881.
//!
//! Two systems send each other a small packet every few milliseconds. Whoever hears nothing for several of them
//! holds the other for dead. A session is held between two addresses on one link; [`Sessions`] is the machine of
//! all of them. It is told whom to watch, what came in and what time it is; it answers with packets to send and
//! with what came about. Inside, from the ground up:
//!
//! - `control` takes packets apart and puts them together, `authenticate` proves where they come from;
//! - `times`, `rate`, `prompts` decide, as pure functions, how often and how long; `negotiation` agrees on it;
//! - `rhythm` says how long silence is borne of a peer, `inquiry` how it is asked before it is judged;
//! - `session` is one session, with the drawing of its states; `sessions` is all of them.
//!
//! Changes of state are answered at once, so that a session is up within one exchange. Packets to all peers leave
//! in one tick. Silence is judged by the moments at which the kernel received packets, and a node that was itself
//! late gives the peer the same time once more.
//!
//! It leaves out: echo packets (never sent, and the peer is told so), demand mode of its own (the peer's is
//! honoured), several hops, several receivers.

mod authenticate;
mod control;
mod event;
mod inquiry;
mod negotiation;
mod outbox;
mod packet;
mod prompts;
mod random;
mod rate;
mod reject;
mod remote;
mod rhythm;
mod session;
mod sessions;
mod settings;
mod times;
mod view;

pub use control::begins_session;
pub use event::{DownCause, Event};
pub use packet::{PAYLOAD_MAX, PORT, Payload, Peer, Received, Transmit};
pub use reject::Reject;
pub use sessions::{Input, SESSIONS_MAX, Sessions};
pub use settings::{
    Authentication, AuthenticationKind, IDLE_TX, INTERVAL, INTERVAL_AT_EASE, Key, MULTIPLIER,
    PACKETS_PER_SECOND_MAX, SessionSettings,
};
pub use times::asked as detection_of_asked;
pub use view::{Counters, SessionView, State};
