//! Taking in other settings: who stays, who comes, who goes.

use std::collections::BTreeMap;

use mainstay_base::{Family, Instant};

use super::{Standing, Table};
use crate::agenda::Agenda;
use crate::event::{HandoverFailure, StateName};
use crate::fitness::Script;
use crate::group::Group;
use crate::index::Index;
use crate::outbox::PacedLinks;
use crate::router::Router;
use crate::settings::{GroupSettings, Name, RouterSettings, Settings};
use crate::track::ScriptRecord;
use crate::wants::Ledger;

impl Table {
    /// Takes in settings. Routers are matched by link, family and number, whatever their name is.
    pub(super) fn take_settings(&mut self, settings: &Settings, now: Instant) {
        let mut earlier: Vec<Option<Router>> = self.routers.drain(..).map(Some).collect();
        let mut by_identity: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (number, router) in earlier.iter().enumerate().rev() {
            let router = router.as_ref().expect("none is taken yet");
            by_identity.entry(identity(router.settings())).or_default().push(number);
        }
        for asked in &settings.routers {
            let matching = by_identity.get_mut(&identity(asked)).and_then(Vec::pop);
            let router = match matching.and_then(|number| earlier[number].take()) {
                Some(mut router) => {
                    router.adopt(asked.clone(), now, &mut self.out);
                    router
                }
                None => Router::new(asked.clone(), now),
            };
            self.routers.push(router);
        }
        for mut removed in earlier.into_iter().flatten() {
            removed.stop(now, &mut self.out);
        }
        self.set_clock(self.clock);
        self.fixed = settings.fixed.clone();
        self.pacing.clone_from(&settings.pacing);
        self.take_scripts(settings);
        self.gauges.configure(&settings.gauges, &settings.vouchers);
        let is_tracked =
            |router: &&RouterSettings| router.track_source || *router.source_link() != router.link;
        let tracked = settings.routers.iter().filter(is_tracked);
        let tracked =
            tracked.filter_map(|router| Some((router.source_link().clone(), router.source?)));
        self.links.configure(&settings.link_delays, tracked);
        self.take_groups(&settings.groups);
        self.rebuild();
    }

    /// Tells which links keep a distance between announcements, a virtual link as the one beneath it.
    pub(super) fn pace_links(&mut self) {
        let made =
            || self.routers.iter().flat_map(|router| &router.settings().kernel.virtual_links.made);
        let index = |name| self.links.of(name).map(|facts| facts.index);
        let paced = self.pacing.iter().map(|pacing| {
            let own = pacing.links.iter().filter_map(index);
            let above = made().filter(|(_, link)| pacing.links.contains(&link.base));
            let links = own.chain(above.filter_map(|(name, _)| index(name))).collect();
            PacedLinks { links, arp: pacing.arp_interval, na: pacing.na_interval }
        });
        let paced = paced.collect();
        self.out.pace_together(paced);
    }

    /// A script whose command is the same keeps its verdict.
    fn take_scripts(&mut self, settings: &Settings) {
        let mut earlier = std::mem::take(&mut self.scripts);
        for asked in &settings.scripts {
            let same = earlier
                .remove(&asked.name)
                .filter(|script| script.settings.command == asked.command);
            let record = same.map_or_else(|| ScriptRecord::start(asked), |script| script.record);
            self.scripts.insert(asked.name.clone(), Script { settings: asked.clone(), record });
        }
    }

    fn take_groups(&mut self, asked: &[GroupSettings]) {
        let told: BTreeMap<Name, StateName> =
            self.groups.drain(..).map(|group| (group.settings.name, group.told)).collect();
        let number_of: BTreeMap<&Name, usize> = self
            .routers
            .iter()
            .enumerate()
            .map(|(number, router)| (router.name(), number))
            .collect();
        for settings in asked {
            let mut settings = settings.clone();
            settings.members.retain(|member| number_of.contains_key(member));
            let members = settings.members.iter().map(|member| number_of[member]).collect();
            let told = told.get(&settings.name).copied().unwrap_or(StateName::Initialize);
            self.groups.push(Group { settings, members, told });
        }
    }

    /// Everything that follows from the list of routers.
    fn rebuild(&mut self) {
        self.index = Index::of(&self.routers, &self.groups, &self.fixed);
        let slots = || self.routers.iter().flat_map(|router| router.slots());
        let links =
            self.routers.iter().flat_map(|router| &router.settings().kernel.virtual_links.made);
        let ledger = Ledger::of(slots().map(|slot| &slot.address)).with_links(links);
        let promoting = self.routers.iter().map(Router::settings);
        let promoting = promoting.filter(|router| router.kernel.promotes_secondaries);
        let ledger = ledger.with_promotion(promoting.map(RouterSettings::home_link));
        let ledger = ledger.with_fixed(&self.fixed);
        self.ledger = ledger.succeed(&self.ledger);
        self.standing = Standing {
            holds: vec![false; self.routers.len()],
            speaks: vec![false; self.routers.len()],
            speakers_revision: self.standing.speakers_revision + 1,
        };
        self.agenda = Agenda::with(self.routers.len());
        for number in 0..self.routers.len() {
            self.touch(number);
        }
    }

    /// A group that grew while it is Active takes its other members along. One that does not leave as a whole any
    /// more does not leave.
    pub(super) fn complete_groups(&mut self, now: Instant) {
        for group in 0..self.groups.len() {
            let members = self.groups[group].members.clone();
            if members.iter().any(|member| !self.routers[*member].is_leaving()) {
                for member in &members {
                    let failed = Err(HandoverFailure::Reloaded);
                    self.at(*member, |router, out| router.finish(failed, now, out));
                }
            }
            let leader = members.iter().copied().find(|member| self.routers[*member].is_active());
            let Some(leader) = leader else { continue };
            for member in members {
                if matches!(self.routers[member].state().name(), StateName::Backup) {
                    let cause = self.led_by(leader);
                    self.at(member, |router, out| router.activate(cause, now, out));
                }
            }
        }
    }

    /// Whoever waited for fellows alone does not wait for those that it has no more.
    pub(super) fn release_the_waiting(&mut self, now: Instant) {
        for number in 0..self.routers.len() {
            if self.routers[number].ready_cause().is_some() {
                self.activate_if_all_ready(number, now);
            }
            if self.routers[number].leaving().is_some_and(|leaving| leaving.is_over) {
                self.finish_if_all_left(number, now);
            }
        }
    }
}

/// What makes a router the same one across settings.
fn identity(settings: &RouterSettings) -> (mainstay_base::LinkName, Family, u8) {
    (settings.link.clone(), settings.family, settings.vrid.get())
}
