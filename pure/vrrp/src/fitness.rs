//! Whether a router may take part and at which priority, from all that it needs and tracks.

use std::collections::BTreeMap;

use crate::event::Cause;
use crate::links::Links;
use crate::settings::{
    GroupSettings, Name, RouterSettings, TrackLink, TrackScript, TrackedScript, Weight,
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

/// What a router's own needs and tracked things say. Weights count only if `weights` says so.
pub(crate) fn of_router(
    settings: &RouterSettings,
    links: &Links,
    scripts: &Scripts,
    weights: bool,
) -> Judgement {
    let needs = Judgement { fitness: needs(settings, links), adjustment: 0 };
    let others = settings.addresses.iter().chain(&settings.excluded);
    let others = others.filter(|address| address.track && address.key.link != settings.link);
    let judgement = others.fold(needs, |judgement, address| {
        let link = &address.key.link;
        judgement.link(link, Weight::default(), links.standing(link))
    });
    tracked(judgement, (&settings.track_links, &settings.track_scripts), links, scripts, weights)
}

/// What the tracked things of a group say; they count for all members.
pub(crate) fn of_group(settings: &GroupSettings, links: &Links, scripts: &Scripts) -> Judgement {
    let lists = (settings.track_links.as_slice(), settings.track_scripts.as_slice());
    tracked(Judgement::NONE, lists, links, scripts, true)
}

/// A router needs its link, up unless told otherwise, and an address to advertise from.
fn needs(settings: &RouterSettings, links: &Links) -> Fitness {
    let link = settings.link.clone();
    let Some(facts) = links.of(&link) else {
        return Fitness::Unfit(Cause::LinkMissing { link });
    };
    let standing = links.standing(&link);
    if standing == LinkStanding::Down && settings.track_own_link {
        return Fitness::Unfit(Cause::LinkDown { link });
    }
    match settings.source.or(facts.source(settings.family)) {
        Some(_) => Fitness::Fit,
        None => Fitness::Unfit(Cause::NoSource { link }),
    }
}

fn tracked(
    start: Judgement,
    (track_links, track_scripts): (&[TrackLink], &[TrackScript]),
    links: &Links,
    scripts: &Scripts,
    weights: bool,
) -> Judgement {
    let counts = |weight: Weight| weights || weight.value == 0;
    let mut judgement = start;
    for track in track_links.iter().filter(|track| counts(track.weight)) {
        judgement = judgement.link(&track.link, track.weight, links.standing(&track.link));
    }
    for track in track_scripts {
        let weight = weight_of(track, scripts);
        if counts(weight) {
            let verdict = verdict_of(&track.script, scripts);
            judgement = judgement.script(&track.script, weight, verdict);
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
