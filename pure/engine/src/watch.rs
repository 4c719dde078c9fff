//! Who is watched: the sessions that settings, advertisements and strangers ask for.

use std::collections::BTreeSet;

use mainstay_base::{Family, LinkIndex};
use mainstay_plan::Actual;

use crate::settings::Settings;

/// The links and families on which datagrams to UDP port 3784 are needed.
pub(crate) fn places(settings: &Settings, actual: &Actual) -> BTreeSet<(LinkIndex, Family)> {
    let index = |name| actual.link_named(name).map(|link| link.index);
    let routers = settings.vrrp.routers.iter().filter(|_| settings.detection.on);
    let mut places: BTreeSet<_> =
        routers.filter_map(|router| Some((index(&router.link)?, router.family))).collect();
    for asked in &settings.bfd_sessions {
        let family = Family::of(asked.remote);
        match &asked.link {
            Some(link) => places.extend(index(link).map(|link| (link, family))),
            None => places.extend(actual.links.keys().map(|link| (*link, family))),
        }
    }
    places
}
