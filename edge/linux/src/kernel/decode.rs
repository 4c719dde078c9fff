//! Notifications and dumps of the kernel as changes; what is about other things is none.

use std::net::IpAddr;

use mainstay_base::{Family, InterfaceAddress, LinkIndex, LinkName, MacAddress};
use mainstay_plan::{
    Actual, AddressOptions, Change, Lifetime, Link, PresentAddress, PresentVirtual, Scope,
};

use super::marks::{LINK_MARK, promotion};
use super::parts::{family_of, ip};
use super::{routes, rules, stacked};

use crate::netlink::{Attributes, array, number, text};

/// A change, and the protocol number of its address where the kernel gave one.
pub(super) struct Decoded {
    pub(super) change: Change,
    pub(super) protocol: Option<u8>,
}

/// Reads one message; `known` gives the names of links.
pub(super) fn change(kind: u16, payload: &[u8], known: &Actual) -> Option<Decoded> {
    let plain = |change| Decoded { change, protocol: None };
    match kind {
        libc::RTM_NEWLINK => link(payload).map(Change::Link).map(plain),
        libc::RTM_DELLINK => {
            let index = link_index(payload)?;
            Some(plain(Change::LinkGone(index)))
        }
        libc::RTM_NEWADDR => {
            let address = Address::read(payload)?;
            let protocol = address.protocol;
            Some(Decoded { change: address.there(known)?, protocol })
        }
        libc::RTM_DELADDR => {
            let Address { link, address, .. } = Address::read(payload)?;
            Some(plain(Change::AddressGone { link, address, by_us: false }))
        }
        libc::RTM_NEWROUTE => {
            let (key, ours) = routes::read(payload)?;
            ours.then(|| plain(Change::Route { key, route: None }))
        }
        libc::RTM_DELROUTE => {
            let (key, ours) = routes::read(payload)?;
            ours.then(|| plain(Change::RouteGone(key)))
        }
        libc::RTM_NEWNETCONF => forwarding(payload, known).map(Change::Link).map(plain),
        libc::RTM_NEWRULE => rules::read(payload).map(Change::Rule).map(plain),
        libc::RTM_DELRULE => rules::read(payload).map(Change::RuleGone).map(plain),
        _ => None,
    }
}

/// The index of a link. Bridges tell about their ports in messages of another family: those are
/// about the port's place in the bridge, also when they say that it is deleted.
fn link_index(payload: &[u8]) -> Option<LinkIndex> {
    let [family] = array(payload, 0)?;
    let index = u32::from_ne_bytes(array(payload, 4)?);
    (i32::from(family) == libc::AF_UNSPEC).then_some(LinkIndex(index))
}

/// A link; none where the message tells only of something else, such as a wireless event.
fn link(payload: &[u8]) -> Option<Link> {
    const HEADER: usize = 16;
    let index = link_index(payload)?;
    let ethernet = u16::from_ne_bytes(array(payload, 2)?) == libc::ARPHRD_ETHER;
    let flags = i32::from_ne_bytes(array(payload, 8)?);
    let is = |flag: i32| flags & flag != 0;
    let (mut name, mut mtu, mut mac) = (None::<LinkName>, None, None);
    let (mut kind_of, mut base, mut alias) = (&[][..], None, None);
    let (mut master, mut of_families) = (None, &[][..]);
    for (kind, value) in Attributes::of(payload.get(HEADER..)?) {
        match kind {
            libc::IFLA_IFNAME => name = text(value).and_then(|name| name.parse().ok()),
            libc::IFLA_MTU => mtu = number(value),
            libc::IFLA_LINKINFO => kind_of = value,
            libc::IFLA_LINK => base = number(value).map(LinkIndex),
            libc::IFLA_IFALIAS => alias = text(value),
            libc::IFLA_MASTER => master = number(value).map(LinkIndex),
            libc::IFLA_AF_SPEC => of_families = value,
            libc::IFLA_ADDRESS if ethernet && value.len() == 6 => {
                mac = array(value, 0).map(MacAddress)
            }
            _ => {}
        }
    }
    Some(Link {
        index,
        name: name?,
        mac,
        // The kernel sets IFF_RUNNING from the operational state, dormant links excluded.
        up: is(libc::IFF_UP) && is(libc::IFF_RUNNING),
        mtu: mtu?,
        multicast: is(libc::IFF_MULTICAST),
        loopback: is(libc::IFF_LOOPBACK),
        virtual_on: stacked::read(kind_of, mac).zip(base).map(|(kind, base)| PresentVirtual {
            base,
            kind,
            raised: is(libc::IFF_UP),
            mark: alias.filter(|alias| alias.starts_with(LINK_MARK)).map(str::to_owned),
        }),
        promotes: promotion(promote_secondaries(of_families).unwrap_or_default()),
        forwards_ipv6: forwards_ipv6(of_families),
        domain: master.filter(|_| is_in_domain(kind_of)),
    })
}

/// The variable `promote_secondaries`, out of what the kernel says of a link for each family.
fn promote_secondaries(of_families: &[u8]) -> Option<u32> {
    const INET: u16 = 2;
    const CONFIGURATION: u16 = 1;
    /// `IPV4_DEVCONF_PROMOTE_SECONDARIES`; they count from 1.
    const NUMBER: usize = 20;
    variable(of_families, (INET, CONFIGURATION), NUMBER - 1)
}

/// The variable `forwarding` of IPv6, there too; none where IPv6 is switched off.
fn forwards_ipv6(of_families: &[u8]) -> bool {
    const INET6: u16 = 10;
    const CONFIGURATION: u16 = 2;
    /// `DEVCONF_FORWARDING`; they count from 0.
    const NUMBER: usize = 0;
    variable(of_families, (INET6, CONFIGURATION), NUMBER).is_some_and(|forwards| forwards != 0)
}

/// A variable by its number among those of a family.
fn variable(of_families: &[u8], (family, configuration): (u16, u16), number: usize) -> Option<u32> {
    let inside = |bytes, wanted| Attributes::of(bytes).find(|(kind, _)| *kind == wanted);
    let (_, of_family) = inside(of_families, family)?;
    let (_, values) = inside(of_family, configuration)?;
    array(values, number * 4).map(u32::from_ne_bytes)
}

/// A link of which it is told that IPv6 forwards there or does so no more: the kernel tells no more of the link
/// then.
fn forwarding(payload: &[u8], known: &Actual) -> Option<Link> {
    const HEADER: usize = 4;
    const INDEX: u16 = 1;
    const FORWARDING: u16 = 2;
    let [family] = array(payload, 0)?;
    let attributes = || Attributes::of(payload.get(HEADER..).unwrap_or_default());
    let value = |wanted| {
        attributes().find(|(kind, _)| *kind == wanted).and_then(|(_, value)| number(value))
    };
    let link = known.links.get(&LinkIndex(value(INDEX)?))?;
    let forwards_ipv6 = value(FORWARDING)? != 0;
    (i32::from(family) == libc::AF_INET6).then(|| Link { forwards_ipv6, ..link.clone() })
}

/// Whether what a link belongs to is a routing domain (VRF), rather than a bridge or a bond.
fn is_in_domain(kind_of: &[u8]) -> bool {
    const KIND_OF_SLAVE: u16 = 4;
    let mut inside = Attributes::of(kind_of);
    let slave = inside.find(|(kind, _)| *kind == KIND_OF_SLAVE);
    slave.and_then(|(_, kind)| text(kind)) == Some("vrf")
}

/// An address as the kernel tells it.
struct Address<'a> {
    link: LinkIndex,
    address: InterfaceAddress,
    flags: u32,
    scope: u8,
    peer: Option<InterfaceAddress>,
    broadcast: Option<IpAddr>,
    label: Option<&'a str>,
    preferred: Option<u32>,
    protocol: Option<u8>,
}

impl<'a> Address<'a> {
    fn read(payload: &'a [u8]) -> Option<Address<'a>> {
        const HEADER: usize = 8;
        const IFA_PROTO: u16 = 11;
        let [family, prefix_len, flags, scope] = array(payload, 0)?;
        let family = family_of(family)?;
        let link = LinkIndex(u32::from_ne_bytes(array(payload, 4)?));
        let (mut local, mut far) = (None, None);
        let (mut broadcast, mut label, mut preferred, mut protocol) = (None, None, None, None);
        let mut flags = u32::from(flags);
        for (kind, value) in Attributes::of(payload.get(HEADER..)?) {
            match kind {
                libc::IFA_LOCAL => local = ip(family, value),
                libc::IFA_ADDRESS => far = ip(family, value),
                libc::IFA_BROADCAST => broadcast = ip(family, value),
                libc::IFA_LABEL => label = text(value),
                libc::IFA_FLAGS => flags = number(value)?,
                libc::IFA_CACHEINFO => preferred = number(value),
                IFA_PROTO => protocol = value.first().copied(),
                _ => {}
            }
        }
        let address = InterfaceAddress::new(local.or(far)?, prefix_len).ok()?;
        let peer = far.filter(|far| local.is_some_and(|local| local != *far));
        let peer = peer.and_then(|far| InterfaceAddress::new(far, prefix_len).ok());
        Some(Address { link, address, flags, scope, peer, broadcast, label, preferred, protocol })
    }

    fn there(self, known: &Actual) -> Option<Change> {
        let is = |flag: u32| self.flags & flag != 0;
        let six = self.address.family() == Family::V6;
        let duplicate = is(libc::IFA_F_DADFAILED);
        let tentative = is(libc::IFA_F_TENTATIVE) && !is(libc::IFA_F_OPTIMISTIC);
        let present = PresentAddress {
            ours: false,
            unusable: duplicate || tentative || is(libc::IFA_F_DEPRECATED),
            secondary: !six && is(libc::IFA_F_SECONDARY),
            options: self.options(known),
        };
        Some(Change::Address { link: self.link, address: self.address, present })
    }

    fn options(&self, known: &Actual) -> AddressOptions {
        const FOREVER: u32 = u32::MAX;
        const IFA_F_MCAUTOJOIN: u32 = 0x400;
        let is = |flag: u32| self.flags & flag != 0;
        let six = self.address.family() == Family::V6;
        // Every IPv4 address has a label: without one it is that of its link.
        let name = known.links.get(&self.link).map(|link| link.name.as_str());
        let label = self.label.filter(|label| name != Some(*label));
        let preferred = match self.preferred {
            _ if is(libc::IFA_F_DEPRECATED) => Lifetime::Seconds(0),
            None | Some(FOREVER) => Lifetime::Forever,
            Some(seconds) => Lifetime::Seconds(seconds),
        };
        AddressOptions {
            broadcast: self.broadcast,
            scope: scope(self.scope),
            label: label.map(Into::into),
            peer: self.peer,
            detect_duplicates: six && !is(libc::IFA_F_NODAD),
            home: six && is(libc::IFA_F_HOMEADDRESS),
            manage_temporary: is(libc::IFA_F_MANAGETEMPADDR),
            no_prefix_route: is(libc::IFA_F_NOPREFIXROUTE),
            autojoin: is(IFA_F_MCAUTOJOIN),
            preferred,
        }
    }
}

fn scope(number: u8) -> Scope {
    match number {
        libc::RT_SCOPE_UNIVERSE => Scope::Global,
        libc::RT_SCOPE_SITE => Scope::Site,
        libc::RT_SCOPE_LINK => Scope::Link,
        libc::RT_SCOPE_HOST => Scope::Host,
        other => Scope::Other(other),
    }
}
