//! Steps about routes and rules, and what becomes of routes behind our back.

use std::collections::BTreeSet;
use std::io;

use mainstay_plan::{Actual, Change, Refusal, Route, RouteKey, RouteOrder, Rule, Step};
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::route::{RouteMessage, RouteProtocol};
use netlink_packet_route::rule::RuleMessage;

use super::marks::ADDRESS_PROTOCOL;
use super::reading::{Dump, is_busy};
use super::{Kernel, News, routes, rules};

/// IPv4 and IPv6 routes, IPv4 and IPv6 rules.
const GROUPS: [u32; 4] = [
    libc::RTNLGRP_IPV4_ROUTE,
    libc::RTNLGRP_IPV6_ROUTE,
    libc::RTNLGRP_IPV4_RULE,
    libc::RTNLGRP_IPV6_RULE,
];

impl Kernel {
    /// Carries out a step about a route or a rule.
    pub(super) fn route(&mut self, step: &Step, news: &mut Vec<News>) -> Result<(), Refusal> {
        self.listen_to_routing();
        let changed = match step {
            Step::AddRoute { key, route } => self.put_route(key, route, news)?,
            Step::RemoveRoute(key) => {
                let request = routes::take_away(key);
                gone(self.ask_composed(libc::RTM_DELROUTE, 0, request.bytes(), news))?;
                Change::RouteGone(key.clone())
            }
            Step::AddRule(rule) => self.put_rule(rule, news)?,
            Step::RemoveRule(rule) => {
                let request = rules::request(rule);
                gone(self.ask_composed(libc::RTM_DELRULE, 0, request.bytes(), news))?;
                Change::RuleGone(rule.clone())
            }
            Step::AddAddress { .. }
            | Step::RemoveAddress { .. }
            | Step::SetFilter(_)
            | Step::AddLink { .. }
            | Step::RemoveLink { .. }
            | Step::SetPromotion { .. } => return Ok(()),
        };
        self.mirror.apply(&changed);
        news.push(News::Changed(changed));
        Ok(())
    }

    fn put_route(
        &mut self,
        key: &RouteKey,
        route: &Route,
        news: &mut Vec<News>,
    ) -> Result<Change, Refusal> {
        let request = routes::put(key, route, &self.mirror)?;
        let ours = self.mirror.routes.contains_key(key);
        if ours && route.order == RouteOrder::Behind {
            // The kernel would replace the first one, which may be that of others.
            gone(self.ask_composed(libc::RTM_DELROUTE, 0, routes::take_away(key).bytes(), news))?;
        }
        let flags = NLM_F_CREATE | routes::order(key.family, route.order, ours);
        self.ask_composed(libc::RTM_NEWROUTE, flags, request.bytes(), news)?;
        Ok(Change::Route { key: key.clone(), route: Some(route.clone()) })
    }

    fn put_rule(&mut self, rule: &Rule, news: &mut Vec<News>) -> Result<Change, Refusal> {
        let flags = NLM_F_CREATE | NLM_F_EXCL;
        self.ask_composed(libc::RTM_NEWRULE, flags, rules::request(rule).bytes(), news)?;
        Ok(Change::Rule(rule.clone()))
    }

    /// Whoever has no routes here does not hear of those of others, which may be very many.
    fn listen_to_routing(&mut self) {
        if !self.hears_routing {
            self.hears_routing = self.channel.subscribe(&GROUPS).is_ok();
        }
    }

    /// Reads the routes and rules of ours into the mirror.
    pub(super) fn dump_routing(&mut self, dump: &mut Dump) -> io::Result<()> {
        self.dump_routes(dump)?;
        if !dump.interrupted {
            self.dump_one(RouteNetlinkMessage::GetRule(RuleMessage::default()), dump)?;
        }
        Ok(())
    }

    fn dump_routes(&mut self, dump: &mut Dump) -> io::Result<()> {
        let mut of_ours = RouteMessage::default();
        of_ours.header.protocol = RouteProtocol::from(ADDRESS_PROTOCOL);
        self.dump_one(RouteNetlinkMessage::GetRoute(of_ours), dump)
    }

    /// What each route of ours does is known as long as this process put it there.
    pub(super) fn remember_routes(&self, read: &mut Actual) {
        for (key, route) in &mut read.routes {
            *route = self.mirror.routes.get(key).cloned().flatten();
        }
    }

    /// The kernel drops routes of IPv4 without a word when a link goes down or their source goes: they are
    /// counted again then.
    pub(super) fn count_routes(&mut self, news: &mut Vec<News>) -> io::Result<()> {
        if !std::mem::take(&mut self.routes_doubtful) || self.mirror.routes.is_empty() {
            return Ok(());
        }
        let there = match self.routes_there(news) {
            Ok(there) => there,
            Err(error) => {
                self.routes_doubtful = true;
                return if is_busy(&error) { Ok(()) } else { Err(error) };
            }
        };
        let gone = self.mirror.routes.keys().filter(|key| !there.contains(*key));
        for key in gone.cloned().collect::<Vec<_>>() {
            let change = Change::RouteGone(key);
            self.mirror.apply(&change);
            news.push(News::Changed(change));
        }
        Ok(())
    }

    /// The routes of ours that are there now. What is heard while they are read is told.
    fn routes_there(&mut self, news: &mut Vec<News>) -> io::Result<BTreeSet<RouteKey>> {
        let before = std::mem::take(&mut self.mirror.routes);
        let mut dump = Dump::default();
        let outcome = self.dump_routes(&mut dump);
        let read = std::mem::replace(&mut self.mirror.routes, before);
        let told = news.len();
        self.tell_meanwhile(&dump, news);
        outcome?;
        if dump.interrupted {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        let came = news[told..].iter().filter_map(|news| match news {
            News::Changed(Change::Route { key, .. }) => Some(key.clone()),
            News::Changed(_) | News::Applied(_) | News::Refused(..) => None,
        });
        Ok(read.into_keys().chain(came).collect())
    }
}

/// Somebody else was quicker: what was asked for is so.
fn gone(answer: Result<(), Refusal>) -> Result<(), Refusal> {
    match answer {
        Err(refusal) if [libc::ESRCH, libc::ENOENT].contains(&refusal.errno) => Ok(()),
        answer => answer,
    }
}
