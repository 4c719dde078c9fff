//! The sessions that the operator asks for by name, and what is made known of them.

use std::time::Duration;

use mainstay_base::Instant;
use mainstay_bfd::SessionSettings;
use mainstay_vrrp::Name;

use super::{News, Origin, Place, Watch, Watched, peer_at};
use crate::settings::{BfdSession, Settings};

/// A session that is not up after so many of the intervals at which its ends try each other is down: the two ends need two
/// of them at most, and one packet may be lost.
const TRIES: u32 = 3;

impl Watch {
    /// Holds a session that the operator asks for, if it is not held so already.
    pub(super) fn ask(
        &mut self,
        place: Place,
        name: &Name,
        session: &SessionSettings,
        now: Instant,
    ) {
        // There may have been too many others to hold it.
        let is_held = self.sessions.view_of(&peer_at(place)).is_some();
        if let Some(watched) = self.watched.get_mut(&place) {
            let is_named = watched.name.as_ref() == Some(name);
            if is_named && watched.settings == *session && is_held {
                return;
            }
            watched.origin = Origin::Asked;
            watched.settings = session.clone();
            watched.name = Some(name.clone());
            let up = watched.believed;
            if !is_named {
                self.tell_named(name.clone(), up);
            }
            self.hold(place, session.clone(), now);
            return;
        }
        let watched = Watched {
            name: Some(name.clone()),
            settings: session.clone(),
            ..Watched::new(Origin::Asked, now)
        };
        self.begin(place, watched, session.clone(), now);
    }

    /// Whatever tracks that session is to know that it is up, or is not.
    pub(super) fn tell_named(&mut self, name: Name, up: bool) {
        if let Some(until) = self.named.get_mut(&name) {
            *until = None;
        }
        self.news.push_back(News::Named { name, up });
    }

    /// Sessions that were not asked for before have a moment to come up.
    pub(super) fn await_named(&mut self, settings: &Settings, now: Instant) {
        let mut before = std::mem::take(&mut self.named);
        for BfdSession { name, session, .. } in &settings.bfd_sessions {
            let until = before.remove(name).unwrap_or_else(|| Some(now + patience(session)));
            self.named.insert(name.clone(), until);
        }
    }

    /// A session that did not come up in time is down, as far as anything tracks it: its link or its peer may be missing.
    pub(super) fn give_up_awaited(&mut self, now: Instant) {
        let is_over = |until: Option<Instant>| until.is_some_and(|until| until <= now);
        let over = self.named.iter().filter(|(_, until)| is_over(**until));
        let over: Vec<Name> = over.map(|(name, _)| name.clone()).collect();
        over.into_iter().for_each(|name| self.tell_named(name, false));
    }
}

fn patience(session: &SessionSettings) -> Duration {
    session.idle_tx * TRIES
}
