//! Whether a router may take part and at which priority, from all that it needs and tracks.

use std::collections::BTreeMap;

use crate::event::Cause;
use crate::gauge::{Gauges, TrackGauge};
use crate::links::Links;
use crate::settings::{
    GroupSettings, Name, Peers, RouterSettings, TrackLink, TrackScript, TrackedScript, Weight,
};
use crate::track::{Fitness, Judgement, LinkStanding, ScriptRecord, Verdict};

/// A tracked script with what is known of it.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub settings: TrackedScript,
    pub record: ScriptRecord,
}

/// The tracked scripts, by name.
pub(crate) type Scripts = BTreeMap<Name, Script>;

/// Everything that is known of what routers may track.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub links: &'a Links,
    pub scripts: &'a Scripts,
    pub gauges: &'a Gauges,
}

/// What a router or a group tracks.
#[derive(Clone, Copy)]
pub(crate) struct Tracks<'a> {
    pub links: &'a [TrackLink],
    pub scripts: &'a [TrackScript],
    pub gauges: &'a [TrackGauge],
}

impl<'a> Tracks<'a> {
    /// What a router tracks by itself.
    pub(crate) fn of_router(settings: &'a RouterSettings) -> Tracks<'a> {
        Tracks {
            links: &settings.track_links,
            scripts: &settings.track_scripts,
            gauges: &settings.track_gauges,
        }
    }

    /// What a group tracks for all its members.
    pub(crate) fn of_group(settings: &'a GroupSettings) -> Tracks<'a> {
        Tracks {
            links: &settings.track_links,
            scripts: &settings.track_scripts,
            gauges: &settings.track_gauges,
        }
    }
}

/// What a router's own needs and tracked things say. Weights count only if `weights` says so.
pub(crate) fn of_router(settings: &RouterSettings, known: Known<'_>, weights: bool) -> Judgement {
    let links = known.links;
    let needs = Judgement { fitness: needs(settings, links), adjustment: 0 };
    let others = settings.addresses.iter().chain(&settings.excluded);
    let others = others.filter(|address| address.track);
    let others = others.map(|address| settings.base_of(&address.key.link));
    let routes = settings.kernel.routing.routes.iter().filter(|route| route.track);
    let routes = routes.flat_map(|route| route.route.links());
    let others = others.chain(routes.map(|link| settings.base_of(link)));
    let others = others.filter(|link| **link != settings.link);
    let judgement = others.fold(needs, |judgement, link| {
        judgement.link(link, Weight::default(), links.standing(link))
    });
    tracked(judgement, Tracks::of_router(settings), known, weights)
}

/// What the tracked things of a group say; they count for all members.
pub(crate) fn of_group(settings: &GroupSettings, known: Known<'_>) -> Judgement {
    tracked(Judgement::NONE, Tracks::of_group(settings), known, true)
}

/// A router needs its link, up unless told otherwise, and an address to advertise from.
fn needs(settings: &RouterSettings, links: &Links) -> Fitness {
    if matches!(&settings.peers, Peers::Unicast { peers, .. } if peers.is_empty()) {
        return Fitness::Unfit(Cause::NoPeers);
    }
    let link = settings.link.clone();
    if links.of(&link).is_none() {
        return Fitness::Unfit(Cause::LinkMissing { link });
    }
    let standing = links.standing(&link);
    if standing == LinkStanding::Down && settings.track_own_link {
        return Fitness::Unfit(Cause::LinkDown { link });
    }
    let voice = voice(settings, links);
    let place = settings.source_link().clone();
    let offered = links.of(&place).and_then(|facts| facts.source(settings.family));
    let is_there = |source| links.has_source(&place, source);
    match (settings.source, offered) {
        // A link that is made, and the address that we put there, nobody is put out for.
        _ if place != link && voice != Fitness::Fit => voice,
        (Some(source), _) if place != link && !is_there(source) => {
            Fitness::Unknown(Cause::SourceGone { source, link: place })
        }
        (Some(source), _) if settings.track_source && !is_there(source) => {
            Fitness::Unfit(Cause::SourceGone { source, link })
        }
        (Some(_), _) | (_, Some(_)) => voice,
        (None, None) => Fitness::Unfit(Cause::NoSource { link: place }),
    }
}

/// A virtual link to speak on is made as long as it is not there: nobody is put out for that.
fn voice(settings: &RouterSettings, links: &Links) -> Fitness {
    let Some(link) = settings.kernel.virtual_links.speaks_on.clone() else { return Fitness::Fit };
    match links.standing(&link) {
        LinkStanding::Up => Fitness::Fit,
        LinkStanding::Down if !settings.track_own_link => Fitness::Fit,
        LinkStanding::Down => Fitness::Unknown(Cause::LinkDown { link }),
        LinkStanding::Missing => Fitness::Unknown(Cause::LinkMissing { link }),
    }
}

fn tracked(start: Judgement, tracks: Tracks<'_>, known: Known<'_>, weights: bool) -> Judgement {
    let counts = |weight: Weight| weights || weight.value == 0;
    let mut judgement = start;
    for track in tracks.links.iter().filter(|track| counts(track.weight)) {
        judgement = judgement.link(&track.link, track.weight, known.links.standing(&track.link));
    }
    for track in tracks.scripts {
        let weight = weight_of(track, known.scripts);
        if counts(weight) {
            let verdict = verdict_of(&track.script, known.scripts);
            judgement = judgement.script(&track.script, weight, verdict);
        }
    }
    for track in tracks.gauges {
        let weight = known.gauges.weight_of(track);
        if counts(weight) {
            judgement = judgement.gauge(&track.gauge, weight, known.gauges.reading(&track.gauge));
        }
    }
    judgement
}

/// The weight of a tracked script: the reference's own, else the script's.
pub(crate) fn weight_of(track: &TrackScript, scripts: &Scripts) -> Weight {
    let own = || scripts.get(&track.script).map(|script| script.settings.weight);
    track.weight.or_else(own).unwrap_or_default()
}

/// What is known of a script.
pub(crate) fn verdict_of(script: &Name, scripts: &Scripts) -> Verdict {
    scripts.get(script).map_or(Verdict::Unknown, |script| script.record.verdict())
}
