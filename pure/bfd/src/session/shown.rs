//! What a session shows of itself.

use super::Session;
use crate::settings::{INTERVAL, INTERVAL_AT_EASE};
use crate::times;
use crate::view::{SessionView, State};

impl Session {
    /// Whether the peer is asked within 10 ms if it is silent.
    pub(crate) fn listens_closely(&self) -> bool {
        self.settings.by_rhythm && self.pace().interval <= INTERVAL
    }

    /// Whether the peer is told anything so rarely that its questions can wait as well.
    pub(crate) fn is_at_ease(&self) -> bool {
        self.turn.every.is_some_and(|every| every >= INTERVAL_AT_EASE)
    }

    pub(crate) fn ttl_min(&self) -> u8 {
        self.settings.ttl_min
    }

    /// Everything that it shows.
    pub(crate) fn view(&self) -> SessionView {
        let is_up = self.state == State::Up;
        let receive_interval = self.pace().interval;
        let receives = self.remote.is_known().then(|| times::packets_per_second(receive_interval));
        let sends = self.turn.every.map(times::packets_per_second);
        SessionView {
            peer: self.peer,
            state: self.state,
            remote_state: self.remote.state,
            since: self.since,
            local_discriminator: self.identity.discriminator,
            remote_discriminator: self.remote.discriminator,
            transmit_interval: self.turn.every,
            receive_interval: is_up.then_some(receive_interval),
            multiplier: is_up.then_some(self.remote.multiplier),
            detection: is_up.then_some(self.record.borne),
            distance_max: self.record.rhythm.longest(),
            packets_per_second: sends.unwrap_or(0).saturating_add(receives.unwrap_or(0)),
            last_heard: self.last_heard,
            last_down: self.record.last_down,
            late_max: self.record.late_max,
            counters: self.record.counters,
        }
    }
}
