//! What had been counted when somebody asked to begin again.

use std::collections::BTreeMap;

use mainstay_api as api;
use mainstay_engine::vrrp::{Counters, Name, Reject, RouterView};

use crate::channel::Report;

/// What is subtracted from the counters of each router.
#[derive(Clone, Debug, Default)]
pub(crate) struct Past {
    counted: BTreeMap<Name, Counters>,
}

impl Past {
    /// Counts from here on.
    pub(crate) fn begin_again(&mut self, report: &Report) {
        let routers = report.status.vrrp.routers.iter();
        self.counted =
            routers.map(|router| (router.name.clone(), router.counters.clone())).collect();
    }

    /// Takes what had been counted then from the counters of a router, for people.
    pub(crate) fn take_from(&self, router: &mut api::Router) {
        let Some(past) = self.counted.get(&Name::new(&router.name)) else { return };
        let counters = &mut router.counters;
        for (now, past) in [
            (&mut counters.became_active, past.became_active),
            (&mut counters.released_active, past.released_active),
            (&mut counters.adverts_sent, past.adverts_sent),
            (&mut counters.adverts_received, past.adverts_received),
            (&mut counters.farewells_sent, past.farewells_sent),
            (&mut counters.farewells_received, past.farewells_received),
            (&mut counters.announcements_sent, past.announcements_sent),
        ] {
            *now = now.saturating_sub(past);
        }
        for (why, past) in &past.rejects {
            if let Some(now) = counters.rejects.get_mut(why.name()) {
                *now = now.saturating_sub(*past);
            }
        }
    }

    /// What a router has counted since then.
    pub(super) fn since(&self, router: &RouterView) -> Counted {
        let now = Counted::of(&router.counters);
        match self.counted.get(&router.name) {
            Some(past) => now.less(&Counted::of(past)),
            None => now,
        }
    }
}

/// keepalived's counters, in its order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) received: u64,
    pub(super) sent: u64,
    pub(super) became_active: u64,
    pub(super) released_active: u64,
    pub(super) length: u64,
    pub(super) ttl: u64,
    pub(super) kind: u64,
    pub(super) interval: u64,
    pub(super) addresses: u64,
    pub(super) authentication_kind: u64,
    pub(super) authentication_mismatch: u64,
    pub(super) authentication_failed: u64,
    pub(super) farewells_received: u64,
    pub(super) farewells_sent: u64,
}

impl Counted {
    fn of(counters: &Counters) -> Counted {
        let count = |whys: &[Reject]| -> u64 {
            whys.iter().filter_map(|why| counters.rejects.get(why)).sum()
        };
        Counted {
            received: counters.adverts_received,
            sent: counters.adverts_sent,
            became_active: counters.became_active,
            released_active: counters.released_active,
            length: count(&[Reject::TooShort, Reject::TooLong]),
            ttl: count(&[Reject::Ttl]),
            kind: count(&[Reject::Type, Reject::Version]),
            interval: count(&[Reject::Interval, Reject::IntervalZero]),
            addresses: counters.addresses_differed
                + count(&[Reject::NoAddresses, Reject::Destination, Reject::Source]),
            authentication_kind: 0,
            authentication_mismatch: count(&[
                Reject::AuthenticationType,
                Reject::HmacMissing,
                Reject::HmacUnexpected,
            ]),
            authentication_failed: count(&[
                Reject::Password,
                Reject::HmacDigest,
                Reject::HmacKey,
                Reject::HmacStale,
                Reject::HmacReplayed,
            ]),
            farewells_received: counters.farewells_received,
            farewells_sent: counters.farewells_sent,
        }
    }

    fn less(self, past: &Counted) -> Counted {
        let less = |now: u64, past: u64| now.saturating_sub(past);
        Counted {
            received: less(self.received, past.received),
            sent: less(self.sent, past.sent),
            became_active: less(self.became_active, past.became_active),
            released_active: less(self.released_active, past.released_active),
            length: less(self.length, past.length),
            ttl: less(self.ttl, past.ttl),
            kind: less(self.kind, past.kind),
            interval: less(self.interval, past.interval),
            addresses: less(self.addresses, past.addresses),
            authentication_kind: less(self.authentication_kind, past.authentication_kind),
            authentication_mismatch: less(
                self.authentication_mismatch,
                past.authentication_mismatch,
            ),
            authentication_failed: less(self.authentication_failed, past.authentication_failed),
            farewells_received: less(self.farewells_received, past.farewells_received),
            farewells_sent: less(self.farewells_sent, past.farewells_sent),
        }
    }
}
