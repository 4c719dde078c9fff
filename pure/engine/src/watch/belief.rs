//! Which sessions are believed, and on which of them virtual routers count.

use std::time::Duration;

use mainstay_base::Instant;
use mainstay_vrrp::RouterSettings;

use super::{News, Place, Watch, Watched, peer_at};
use crate::settings::Settings;

/// Sessions that tell of a death within this time count however often routers advertise: a Backup, whom nobody has to miss
/// at once, is known by its session alone.
const SILENCE_MIN: Duration = Duration::from_secs(1);

impl Watch {
    /// A session came up.
    pub(super) fn rise(&mut self, place: Place, detection: Duration, now: Instant) {
        let Some(watched) = self.watched.get_mut(&place) else { return };
        watched.up = Some(detection);
        self.rises += 1;
        watched.held_until = watched.trust.rise(now);
        if watched.held_until.is_none() {
            self.believe(place);
        }
    }

    /// A session may be counted on from now on.
    pub(super) fn believe(&mut self, place: Place) {
        let Some(watched) = self.watched.get_mut(&place) else { return };
        watched.held_until = None;
        watched.believed = watched.up.is_some();
        let name = watched.name.clone().filter(|_| watched.believed);
        self.count_on(place);
        if let Some(name) = name {
            self.tell_named(name, true);
        }
    }

    /// A session is down. Virtual routers hear of it if they counted on it, and on no other to the same peer.
    pub(super) fn doubt(&mut self, place: Place, news: News) {
        let Some(watched) = self.watched.get_mut(&place) else { return };
        watched.up = None;
        watched.held_until = None;
        let was_counted = std::mem::take(&mut watched.counted);
        let was_believed = std::mem::take(&mut watched.believed);
        let name = watched.name.clone().filter(|_| was_believed);
        if was_counted && !self.others_counted(place) {
            self.news.push_back(news);
        }
        if let Some(name) = name {
            self.tell_named(name, false);
        }
    }

    /// Tells virtual routers of a session that is believed, if it tells of a death before they would know it by themselves:
    /// a peer that may be silent for hours is not alive for that.
    pub(super) fn count_on(&mut self, place: Place) {
        let silence_max = self.silence_max;
        let Some(watched) = self.watched.get_mut(&place).filter(|watched| watched.believed) else {
            return;
        };
        let within = watched.up.filter(|detection| *detection <= silence_max);
        let before = std::mem::replace(&mut watched.counted, within.is_some());
        match within {
            Some(detection) => self.news.push_back(News::Watched(peer_at(place), detection)),
            None if before && !self.others_counted(place) => {
                self.news.push_back(News::Unwatched(peer_at(place)));
            }
            None => {}
        }
    }

    /// Looks up how long routers wait for advertisements: whoever may be silent for longer is not counted on.
    pub(super) fn bound_silence(&mut self, settings: &Settings) {
        let longest = settings.vrrp.routers.iter().map(active_down_max).max();
        self.silence_max = longest.unwrap_or_default().max(SILENCE_MIN);
        let other = |watched: &Watched| {
            let is_within = watched.up.is_some_and(|detection| detection <= self.silence_max);
            watched.believed && watched.counted != is_within
        };
        let concerned = self.watched.iter().filter(|(_, watched)| other(watched));
        let concerned: Vec<Place> = concerned.map(|(place, _)| *place).collect();
        concerned.into_iter().for_each(|place| self.count_on(place));
    }

    fn others_counted(&self, (link, remote, _): Place) -> bool {
        self.watched_at(link, remote).any(|(_, watched)| watched.counted)
    }
}

/// The longest that a router waits for advertisements: the skew is less than one interval.
fn active_down_max(router: &RouterSettings) -> Duration {
    router.advertisement_interval.duration() * (u32::from(router.down_intervals) + 1)
}
