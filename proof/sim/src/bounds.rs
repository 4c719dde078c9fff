//! How long a cluster may take to be as it should be, derived from its settings.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mainstay_engine::Settings;
use mainstay_engine::vrrp::{Preempt, RouterSettings, TrackedScript, Version};

use mainstay_plan::AddressKey;

use crate::scenario::Scenario;

/// The longest that the kernel, the segment and the scheduler add, and the pause after a refused step.
const SLACK: Duration = Duration::from_secs(1);

/// Who yields keeps the addresses for so long where the winner does not answer for all of them, as it has others.
const KEPT_MAX: Duration = Duration::from_secs(2);

/// No node may hold back a refused step for longer.
pub const HELD_BACK_MAX: Duration = Duration::from_secs(60);

/// From the end of all trouble to a cluster that is as it should be.
///
/// A node that has just started waits for its startup delay; scripts then need as many runs as `rise` and
/// `fall` ask for. An Active that lost its right is silent or heard, and a Backup needs one
/// active-down interval; the preempt delay begins with the first advertisement and ends with
/// another such interval. Members of a group wait for one another.
pub fn convergence(scenario: &Scenario) -> Duration {
    let all: Vec<&Settings> = scenario.nodes.iter().map(|node| &node.settings).collect();
    let routers = || all.iter().flat_map(|settings| &settings.vrrp.routers);
    let scripts = || all.iter().flat_map(|settings| &settings.vrrp.scripts);
    let interval = routers().map(|router| router.advertisement_interval.duration()).max();
    let interval = interval.unwrap_or_default();
    let down = routers().map(|router| down_max(router, interval)).max().unwrap_or_default();
    let preempt = routers().map(preempt_delay).max().unwrap_or_default();
    let startup = all.iter().map(|settings| settings.vrrp.startup_delay).max().unwrap_or_default();
    let verdict = scripts().map(verdict_max).max().unwrap_or_default();
    let kept = if have_the_same_addresses(&all) { Duration::ZERO } else { KEPT_MAX };
    startup + verdict + down * 3 + preempt + kept + SLACK
}

/// Whether all nodes that have a router have it with the same addresses.
fn have_the_same_addresses(all: &[&Settings]) -> bool {
    let addresses = |router: &RouterSettings| -> BTreeSet<AddressKey> {
        router.addresses.iter().chain(&router.excluded).map(|one| one.key.clone()).collect()
    };
    let mut lists = BTreeMap::new();
    let routers = all.iter().flat_map(|settings| &settings.vrrp.routers);
    routers.into_iter().all(|router| {
        let list = addresses(router);
        *lists.entry(&router.name).or_insert_with(|| list.clone()) == list
    })
}

/// From the last advertisement of an Active to the end of a Backup's patience, where nothing but adverts tells.
pub fn silence(router: &RouterSettings, interval_max: Duration) -> Duration {
    down_max(router, interval_max) + Duration::from_millis(100)
}

/// A session between two nodes that hear each other is up and believed after so long; one that fell again and again
/// is not believed for a minute.
pub const SESSION_UP: Duration = Duration::from_secs(66);

/// Two Actives on a sound segment hear of one another within this time.
pub fn two_actives(interval_max: Duration) -> Duration {
    interval_max + Duration::from_millis(50)
}

/// The longest active-down interval with the longest interval that may be learnt.
fn down_max(router: &RouterSettings, interval: Duration) -> Duration {
    let skew = match router.version {
        Version::V2 => Duration::from_secs(1),
        Version::V3 => interval,
    };
    interval * u32::from(router.down_intervals) + skew
}

fn preempt_delay(router: &RouterSettings) -> Duration {
    match router.preempt {
        Preempt::Never => Duration::ZERO,
        Preempt::After(delay) => delay,
    }
}

fn verdict_max(script: &TrackedScript) -> Duration {
    script.interval * (script.rise.max(script.fall) + 1)
}
