//! What a table shows of itself: plain values for whoever reports.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::{Deadline, Family, Instant, LinkName};
use mainstay_plan::AddressKey;

use crate::event::{Cause, StateName};
use crate::evidence::{Evidence, TrackedThing};
use crate::fitness::{self, Known, Script, Tracks};
use crate::gauge::{Gauge, Reading};
use crate::group::{self, Group};
use crate::learnt::LearntPeer;
use crate::outbox::Dropped;
use crate::record::{Counters, Transition};
use crate::router::Router;
use crate::settings::{Centiseconds, GroupSettings, Name, Priority, Version, Vrid, Weight};
use crate::state::State;
use crate::timers;
use crate::track::{LinkStanding, Verdict};

/// Everything that a table shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Every virtual router, in the order of the settings.
    pub routers: Vec<RouterView>,
    /// Every sync group, in the order of the settings.
    pub groups: Vec<GroupView>,
    /// Every tracked script, by name.
    pub scripts: Vec<ScriptView>,
    /// Every gauge that may be tracked, in order.
    pub gauges: Vec<GaugeView>,
    /// Packets that belong to no router here, by reason.
    pub rejects: Vec<(crate::Reject, u64)>,
    /// What full queues dropped.
    pub dropped: Dropped,
}

/// One virtual router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouterView {
    /// Its name.
    pub name: Name,
    /// Its number.
    pub vrid: Vrid,
    /// The version that it speaks.
    pub version: Version,
    /// The family that carries its advertisements.
    pub family: Family,
    /// The link that it advertises on.
    pub link: LinkName,
    /// Its sync group.
    pub group: Option<Name>,
    /// Where it stands.
    pub standing: Standing,
    /// The configured priority.
    pub priority: Priority,
    /// The priority after tracking.
    pub effective_priority: u8,
    /// Who is Active, as far as is known.
    pub active: Option<ActiveView>,
    /// Its times.
    pub times: Times,
    /// Everything that it tracks, its group's things included.
    pub tracked: Vec<TrackedView>,
    /// Its addresses, the advertised ones first.
    pub addresses: Vec<AddressView>,
    /// The peers that it heard.
    pub peers: Vec<LearntPeer>,
    /// Peers that made room for others.
    pub peers_forgotten: u64,
    /// Its counters.
    pub counters: Counters,
    /// The last changes of state, newest first.
    pub transitions: Vec<Transition>,
}

/// Where a router stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its state.
    pub state: StateName,
    /// Since when.
    pub since: Instant,
    /// Why.
    pub why: Cause,
    /// It would be Active, and waits for the others of its group.
    pub waits_for_group: bool,
    /// It wants its addresses: as Active, or because it has not seen yet that another has them.
    pub holds: bool,
    /// It counts as priority 1 until it is undrained.
    pub drained: bool,
    /// It was handed over, and does not take its addresses from a living Active until it was Active again.
    pub stands_back: bool,
    /// It said farewell and goes on answering until another is seen to.
    pub handover: Option<HandoverView>,
    /// What shows that another holds its addresses as well.
    pub evidence: Vec<Evidence>,
}

/// A handover that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandoverView {
    /// When it said farewell.
    pub began_at: Instant,
    /// Who advertises since.
    pub to: Option<IpAddr>,
    /// When it ends, whoever is seen.
    pub until: Instant,
}

/// Who is Active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveView {
    /// Whether it is this node.
    pub ours: bool,
    /// The address that it advertises from.
    pub address: IpAddr,
    /// Its priority.
    pub priority: u8,
    /// When it was last heard; none for ourselves.
    pub heard_at: Option<Instant>,
}

/// The times in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// From one advertisement to the next, learnt or own.
    pub interval: Centiseconds,
    /// Silence for so long makes the Active dead.
    pub active_down: Duration,
    /// The part of it that is skew.
    pub skew: Duration,
    /// What comes next.
    pub next: Option<Deadline>,
    /// Until then it holds back from an Active of lower priority.
    pub preempt_at: Option<Instant>,
}

/// Something tracked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackedView {
    /// What.
    pub what: TrackedThing,
    /// What is known of it.
    pub reading: Reading,
    /// What it does.
    pub weight: Weight,
    /// Whether the weight counts: a member's own does not unless its group says so.
    pub counts: bool,
}

/// An address of a router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressView {
    /// The address and its link.
    pub key: AddressKey,
    /// Whether the kernel has it.
    pub present: bool,
    /// Whether it is advertised.
    pub advertised: bool,
}

/// A sync group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupView {
    /// Its name.
    pub name: Name,
    /// Its state.
    pub state: StateName,
    /// Its members.
    pub members: Vec<Name>,
}

/// A gauge that may be tracked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GaugeView {
    /// The gauge.
    pub gauge: Gauge,
    /// What it reads.
    pub reading: Reading,
}

/// A tracked script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptView {
    /// Its name.
    pub name: Name,
    /// What is known of it.
    pub verdict: Verdict,
    /// So many results like the last, in a row.
    pub in_a_row: u32,
    /// What is run.
    pub command: crate::settings::Command,
}

impl RouterView {
    /// How long it waits before it takes over from an Active whose death is known within `detection`.
    pub fn quick_skew(&self, detection: Duration) -> Duration {
        timers::quick_skew(self.times.skew, self.effective_priority, detection)
    }

    /// What a router shows; `group` is its sync group.
    pub(crate) fn of(
        router: &Router,
        group: Option<&GroupSettings>,
        known: Known<'_>,
    ) -> RouterView {
        let settings = router.settings();
        let record = router.record();
        RouterView {
            name: settings.name.clone(),
            vrid: settings.vrid,
            version: settings.version,
            family: settings.family,
            link: settings.link.clone(),
            group: group.map(|group| group.name.clone()),
            standing: standing(router),
            priority: settings.priority,
            effective_priority: router.priority(),
            active: active(router),
            times: times(router),
            tracked: tracked(router, group, known),
            addresses: router.slots().iter().map(AddressView::of).collect(),
            peers: router.peers().iter().copied().collect(),
            peers_forgotten: router.peers().forgotten(),
            counters: record.counters.clone(),
            transitions: record.transitions.iter().cloned().collect(),
        }
    }
}

impl AddressView {
    fn of(slot: &crate::slots::Slot) -> AddressView {
        let key = slot.key().clone();
        AddressView { key, present: slot.present, advertised: slot.advertised }
    }
}

impl GroupView {
    /// What a group shows.
    pub(crate) fn of(group: &Group, routers: &[Router]) -> GroupView {
        let states = group.members.iter().map(|member| routers[*member].state().name());
        let members = group.settings.members.clone();
        GroupView { name: group.settings.name.clone(), state: group::state_of(states), members }
    }
}

impl GaugeView {
    /// What a gauge shows.
    pub(crate) fn of((gauge, reading): (&Gauge, Reading)) -> GaugeView {
        GaugeView { gauge: gauge.clone(), reading }
    }
}

impl ScriptView {
    /// What a tracked script shows.
    pub(crate) fn of(script: &Script) -> ScriptView {
        ScriptView {
            name: script.settings.name.clone(),
            verdict: script.record.verdict(),
            in_a_row: script.record.in_a_row(),
            command: script.settings.command.clone(),
        }
    }
}

fn standing(router: &Router) -> Standing {
    let record = router.record();
    Standing {
        state: router.state().name(),
        since: record.since,
        why: record.why.clone(),
        waits_for_group: router.is_ready() && !router.is_active(),
        holds: router.holds(),
        drained: router.is_drained(),
        stands_back: router.stands_back(),
        evidence: router.evidence(),
        handover: router.leaving().map(|leaving| HandoverView {
            began_at: leaving.began_at,
            to: leaving.successor.map(|successor| successor.address),
            until: leaving.hold.until(),
        }),
    }
}

fn active(router: &Router) -> Option<ActiveView> {
    match router.state() {
        State::Initialize | State::Fault => None,
        State::Backup(backup) => backup.heard.map(|heard| ActiveView {
            ours: false,
            address: heard.address,
            priority: heard.priority,
            heard_at: Some(heard.at),
        }),
        State::Active(_) | State::Leaving(_) => router.source().map(|address| ActiveView {
            ours: true,
            address,
            priority: router.priority(),
            heard_at: None,
        }),
    }
}

fn times(router: &Router) -> Times {
    let timing = router.timing();
    let preempt_at = match router.state() {
        State::Backup(backup) => backup.preempt_at,
        State::Initialize | State::Active(_) | State::Leaving(_) | State::Fault => None,
    };
    Times {
        interval: timing.interval,
        active_down: timing.active_down(),
        skew: timing.skew(),
        next: router.deadline(),
        preempt_at,
    }
}

/// Everything that a router tracks, its group's things included.
pub(crate) fn tracked(
    router: &Router,
    group: Option<&GroupSettings>,
    known: Known<'_>,
) -> Vec<TrackedView> {
    let member_weights = group.is_none_or(|group| group.member_weights);
    let mut views = things(Tracks::of_router(router.settings()), known, member_weights);
    if let Some(group) = group {
        views.extend(things(Tracks::of_group(group), known, true));
    }
    views
}

fn things(tracks: Tracks<'_>, known: Known<'_>, weights: bool) -> Vec<TrackedView> {
    let view = |what, reading, weight: Weight| TrackedView {
        what,
        reading,
        weight,
        counts: weights || weight.value == 0,
    };
    let links = tracks.links.iter().map(|track| {
        let verdict = match known.links.standing(&track.link) {
            LinkStanding::Up => Verdict::Up,
            LinkStanding::Down | LinkStanding::Missing => Verdict::Down,
        };
        view(TrackedThing::Link(track.link.clone()), Reading::Verdict(verdict), track.weight)
    });
    let scripts = tracks.scripts.iter().map(|track| {
        let verdict = fitness::verdict_of(&track.script, known.scripts);
        let weight = fitness::weight_of(track, known.scripts);
        view(TrackedThing::Script(track.script.clone()), Reading::Verdict(verdict), weight)
    });
    let gauges = tracks.gauges.iter().map(|track| {
        let reading = known.gauges.reading(&track.gauge);
        view(TrackedThing::Gauge(track.gauge.clone()), reading, known.gauges.weight_of(track))
    });
    links.chain(scripts).chain(gauges).collect()
}
