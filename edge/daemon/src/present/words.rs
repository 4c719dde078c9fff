//! The engine's small values in the api's words.

use std::time::{Duration, SystemTime};

use mainstay_api as api;
use mainstay_base::{Family, Instant};
use mainstay_engine::vrrp::{self, StateName};
use mainstay_linux::clock;

/// A state.
pub(crate) fn state(state: StateName) -> api::State {
    match state {
        StateName::Initialize => api::State::Initialize,
        StateName::Backup => api::State::Backup,
        StateName::Active => api::State::Active,
        StateName::Fault => api::State::Fault,
    }
}

pub(crate) fn verdict(verdict: vrrp::Verdict) -> api::Verdict {
    match verdict {
        vrrp::Verdict::Up => api::Verdict::Up,
        vrrp::Verdict::Down => api::Verdict::Down,
        vrrp::Verdict::Unknown => api::Verdict::Unknown,
    }
}

pub(crate) fn family(family: Family) -> String {
    match family {
        Family::V4 => "ipv4".to_owned(),
        Family::V6 => "ipv6".to_owned(),
    }
}

pub(crate) fn at_ms(at: Instant) -> u64 {
    unix_ms(clock::wall(at))
}

pub(crate) fn ms(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn us(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}

/// Milliseconds since 1970.
pub(crate) fn unix_ms(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
