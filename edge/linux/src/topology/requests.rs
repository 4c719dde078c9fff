//! The requests that build links, addresses and routes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, BorrowedFd};

use mainstay_base::{Family, InterfaceAddress, LinkIndex};
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use netlink_packet_route::link::{
    BridgeStpState, InfoBridge, InfoBridgePort, InfoData, InfoGre, InfoKind, InfoPortData,
    InfoPortKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use netlink_packet_route::route::{
    RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

/// The family's number in netlink's words.
pub(crate) fn family(of: Family) -> AddressFamily {
    match of {
        Family::V4 => AddressFamily::Inet,
        Family::V6 => AddressFamily::Inet6,
    }
}

pub(super) fn veth(name: &str, peer: &str, peer_in: Option<BorrowedFd<'_>>) -> RouteNetlinkMessage {
    let mut other = LinkMessage::default();
    other.attributes.push(LinkAttribute::IfName(peer.to_owned()));
    other.attributes.extend(peer_in.map(into_namespace));
    link(
        name,
        vec![LinkInfo::Kind(InfoKind::Veth), LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(other)))],
    )
}

pub(super) fn gretap(name: &str, local: Ipv4Addr, remote: Ipv4Addr) -> RouteNetlinkMessage {
    let ends = vec![InfoGre::Local(local), InfoGre::Remote(remote)];
    link(name, vec![LinkInfo::Kind(InfoKind::GreTap), LinkInfo::Data(InfoData::GreTap(ends))])
}

pub(super) fn bridge(name: &str) -> RouteNetlinkMessage {
    let settings =
        vec![InfoBridge::StpState(BridgeStpState::Disabled), InfoBridge::MulticastSnooping(false)];
    link(name, vec![LinkInfo::Kind(InfoKind::Bridge), LinkInfo::Data(InfoData::Bridge(settings))])
}

/// A new-link request on a link that exists: only such a one changes what a bridge has of a port.
pub(super) fn flood_multicast(index: LinkIndex, flood: bool) -> RouteNetlinkMessage {
    let settings = vec![InfoBridgePort::MulticastFlood(flood)];
    let mut message = LinkMessage::default();
    message.header.index = index.0;
    message.attributes.push(LinkAttribute::LinkInfo(vec![
        LinkInfo::PortKind(InfoPortKind::Bridge),
        LinkInfo::PortData(InfoPortData::BridgePort(settings)),
    ]));
    RouteNetlinkMessage::NewLink(message)
}

fn link(name: &str, info: Vec<LinkInfo>) -> RouteNetlinkMessage {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(name.to_owned()));
    message.attributes.push(LinkAttribute::LinkInfo(info));
    RouteNetlinkMessage::NewLink(message)
}

pub(super) fn into_namespace(namespace: BorrowedFd<'_>) -> LinkAttribute {
    LinkAttribute::NetNsFd(namespace.as_raw_fd())
}

pub(super) fn change(index: LinkIndex, attributes: Vec<LinkAttribute>) -> RouteNetlinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index.0;
    message.attributes = attributes;
    RouteNetlinkMessage::SetLink(message)
}

pub(super) fn set_up(index: LinkIndex, up: bool) -> RouteNetlinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index.0;
    message.header.change_mask = LinkFlags::Up;
    message.header.flags = if up { LinkFlags::Up } else { LinkFlags::empty() };
    RouteNetlinkMessage::SetLink(message)
}

pub(super) fn delete(index: LinkIndex) -> RouteNetlinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index.0;
    RouteNetlinkMessage::DelLink(message)
}

pub(super) fn address(link: LinkIndex, address: InterfaceAddress) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = family(address.family());
    message.header.prefix_len = address.prefix_len();
    message.header.index = link.0;
    message.attributes = vec![
        AddressAttribute::Local(address.ip()),
        AddressAttribute::Address(address.ip()),
        AddressAttribute::Flags(AddressFlags::Nodad),
    ];
    message
}

pub(super) fn route(prefix: InterfaceAddress, gateway: IpAddr) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = family(prefix.family());
    message.header.destination_prefix_length = prefix.prefix_len();
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = RouteProtocol::Static;
    message.header.scope = RouteScope::Universe;
    message.header.kind = RouteType::Unicast;
    if prefix.prefix_len() > 0 {
        message.attributes.push(RouteAttribute::Destination(prefix.ip().into()));
    }
    message.attributes.push(RouteAttribute::Gateway(gateway.into()));
    message
}

pub(super) fn everything(gateway: IpAddr) -> InterfaceAddress {
    let any = match gateway {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    InterfaceAddress::new(any, 0).expect("every family has a prefix of no bits")
}
