//! Room for what comes in, allocated once.

use mainstay_linux::{advert, bfd, neighbours};

/// Room for one batch of each kind; each is taken out while its packets are handed to the engine.
#[derive(Default)]
pub(super) struct Inboxes {
    pub(super) adverts: Option<advert::Inbox>,
    pub(super) sessions: Option<bfd::Inbox>,
    pub(super) announcements: Option<neighbours::Inbox>,
}
