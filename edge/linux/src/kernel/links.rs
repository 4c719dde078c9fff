//! Virtual links: made, set up, marked, deleted.
//!
//! The mark is the link's alias. It keeps what variables of the base and of the machine were before, so it is set
//! before any of them is: whoever goes on where this was interrupted finds it there. A link that is
//! complete is up as well.

use mainstay_base::{Family, LinkIndex, LinkName};
use mainstay_plan::{Change, Link, PresentVirtual, Promotion, Refusal, VirtualLink};
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};

use super::marks::{LINK_MARK, PROMOTION_MARK, promotion};
use super::variables::{self, SourceCheck, of_link};
use super::{Kernel, News, stacked};

/// Variables of a base: it answers for addresses of its own only, and not for those that stand on its
/// virtual links.
const OF_BASE: [(&str, &str); 2] = [("arp_ignore", "1"), ("arp_filter", "1")];

impl Kernel {
    /// Makes a virtual link, or completes one that is there.
    pub(super) fn make_link(
        &mut self,
        name: &LinkName,
        wanted: &VirtualLink,
        news: &mut Vec<News>,
    ) -> Result<(), Refusal> {
        let below = self.mirror.link_named(&wanted.base).cloned();
        let below = below.ok_or_else(|| missing(&wanted.base))?;
        let base = below.index;
        let there = self.mirror.link_named(name);
        let stands = |link: &&Link| {
            let present = link.virtual_on.as_ref();
            present.is_some_and(|on| on.base == base && on.kind == Some(wanted.kind))
        };
        if there.filter(stands).is_none() {
            self.ask(create(name, base, wanted), NLM_F_CREATE | NLM_F_EXCL, news)?;
        }
        self.join_domain(name, &below, news)?;
        let mark =
            if wanted.has_own_mac() { self.mark_of(base, wanted) } else { LINK_MARK.to_owned() };
        let link = self.mirror.link_named(name).ok_or_else(|| missing(name))?.index;
        self.ask(alias(link, mark), 0, news)?;
        self.set_variables(name, wanted)?;
        self.ask(raise(link), 0, news)
    }

    /// Puts a virtual link into the routing domain of its base, before it is set up.
    fn join_domain(
        &mut self,
        name: &LinkName,
        base: &Link,
        news: &mut Vec<News>,
    ) -> Result<(), Refusal> {
        let link = self.mirror.link_named(name).ok_or_else(|| missing(name))?;
        let Some(domain) = base.domain.filter(|_| !link.follows_domain_of(base)) else {
            return Ok(());
        };
        let mut message = LinkMessage::default();
        message.header.index = link.index.0;
        message.attributes.push(LinkAttribute::Controller(domain.0));
        self.ask(RouteNetlinkMessage::SetLink(message), 0, news)
    }

    /// Deletes a virtual link; the last one on a base gives it back as it was.
    pub(super) fn remove_link(
        &mut self,
        link: LinkIndex,
        news: &mut Vec<News>,
    ) -> Result<(), Refusal> {
        let present = self.mirror.links.get(&link).and_then(|link| link.virtual_on.clone());
        let mut message = LinkMessage::default();
        message.header.index = link.0;
        self.ask(RouteNetlinkMessage::DelLink(message), 0, news)?;
        let Some(PresentVirtual { base, mark: Some(mark), .. }) = present else { return Ok(()) };
        if self.source_check().is_none() {
            variables::source_check_in(&mark).map_or(Ok(()), variables::restore_source_check)?;
        }
        match self.mirror.links.get(&base).map(|base| base.name.clone()) {
            Some(name) if self.siblings(base).next().is_none() => restore(&name, &mark),
            Some(_) | None => Ok(()),
        }
    }

    /// Lets secondary addresses of a link stay, or go again; what others said is left alone.
    pub(super) fn set_promotion(
        &mut self,
        link: LinkIndex,
        name: &LinkName,
        on: bool,
        news: &mut Vec<News>,
    ) -> Result<(), Refusal> {
        let variable = of_link("ipv4", name.as_str(), "promote_secondaries");
        let promotes = |text: &str| text.parse().map_or(Promotion::Others, promotion);
        let now = variables::read(&variable).map_or(Promotion::Off, |text| promotes(&text));
        let promotes = match (now, on) {
            (Promotion::Off, true) => {
                variables::set(&variable, &PROMOTION_MARK.to_string())?;
                Promotion::Ours
            }
            (Promotion::Ours, false) => {
                variables::set(&variable, "0")?;
                Promotion::Off
            }
            (Promotion::Others, _) | (Promotion::Off, false) | (Promotion::Ours, true) => now,
        };
        let change = Change::Promotion { link, promotes };
        self.mirror.apply(&change);
        news.push(News::Changed(change));
        Ok(())
    }

    /// What our virtual links stand on, and their marks.
    fn marks(&self) -> impl Iterator<Item = (LinkIndex, &String)> {
        let links = self.mirror.links.values().filter_map(|link| link.virtual_on.as_ref());
        links.filter_map(|on| Some((on.base, on.mark.as_ref()?)))
    }

    /// The marks of our links on a base.
    fn siblings(&self, base: LinkIndex) -> impl Iterator<Item = &String> {
        self.marks().filter(move |(on, _)| *on == base).map(|(_, mark)| mark)
    }

    /// What the marks of our links say of the check of sources before the first of them.
    fn source_check(&self) -> Option<&str> {
        self.marks().find_map(|(_, mark)| variables::source_check_in(mark))
    }

    /// What the variables were before our first link stood on that base, and before the first of all.
    fn mark_of(&self, base: LinkIndex, wanted: &VirtualLink) -> String {
        let value = |variable| {
            let value = variables::read(&of_link("ipv4", wanted.base.as_str(), variable));
            value.unwrap_or_else(|| "0".to_owned())
        };
        let were = OF_BASE.map(|(variable, _)| format!("{variable}={}", value(variable)));
        let first = self.siblings(base).next().cloned();
        let mut mark = first.unwrap_or_else(|| format!("{LINK_MARK} base had {}", were.join(" ")));
        if wanted.family == Family::V4 && variables::source_check_in(&mark).is_none() {
            let known = self.source_check().map(str::to_owned);
            let room = MARK_MAX.saturating_sub(mark.len());
            let fresh = || Some(SourceCheck::of(&self.mirror.links)?.words(room));
            mark.extend(known.or_else(fresh).filter(|words| words.len() <= room));
        }
        mark
    }

    fn set_variables(&self, name: &LinkName, wanted: &VirtualLink) -> Result<(), Refusal> {
        let set = |family, variable, value| {
            variables::set(&of_link(family, name.as_str(), variable), value)
        };
        set("ipv6", "disable_ipv6", if wanted.family == Family::V6 { "0" } else { "1" })?;
        if !wanted.has_own_mac() {
            return Ok(());
        }
        // None: no address of its own; the link-local one is that of its base.
        set("ipv6", "addr_gen_mode", "1")?;
        if wanted.family == Family::V6 {
            return Ok(());
        }
        for (variable, value) in OF_BASE {
            variables::set(&of_link("ipv4", wanted.base.as_str(), variable), value)?;
        }
        SourceCheck::of(&self.mirror.links).map_or(Ok(()), |check| check.spread())?;
        let own = [
            ("arp_ignore", "1"),
            ("accept_local", "1"),
            ("rp_filter", "0"),
            ("promote_secondaries", "1"),
        ];
        own.into_iter().try_for_each(|(variable, value)| set("ipv4", variable, value))
    }
}

/// The longest alias that a link may have.
const MARK_MAX: usize = 255;

/// Puts the variables of a base back to what a mark says.
fn restore(base: &LinkName, mark: &str) -> Result<(), Refusal> {
    let pairs = mark.split_whitespace().filter_map(|word| word.split_once('='));
    for (variable, value) in pairs {
        if OF_BASE.iter().any(|(known, _)| *known == variable) {
            variables::set(&of_link("ipv4", base.as_str(), variable), value)?;
        }
    }
    Ok(())
}

fn create(name: &LinkName, base: LinkIndex, wanted: &VirtualLink) -> RouteNetlinkMessage {
    let mut message = LinkMessage::default();
    message.attributes = vec![LinkAttribute::IfName(name.to_string()), LinkAttribute::Link(base.0)];
    message.attributes.extend(stacked::write(wanted.kind));
    RouteNetlinkMessage::NewLink(message)
}

fn alias(link: LinkIndex, mark: String) -> RouteNetlinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = link.0;
    message.attributes.push(LinkAttribute::IfAlias(mark));
    RouteNetlinkMessage::SetLink(message)
}

fn raise(link: LinkIndex) -> RouteNetlinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = link.0;
    message.header.flags = LinkFlags::Up;
    message.header.change_mask = LinkFlags::Up;
    RouteNetlinkMessage::SetLink(message)
}

fn missing(link: &LinkName) -> Refusal {
    Refusal { errno: libc::ENODEV, message: format!("link {link} is not there") }
}
