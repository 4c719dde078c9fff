//! Steps as requests of the kernel.

use mainstay_base::{Family, InterfaceAddress, LinkIndex};
use mainstay_plan::{AddressOptions, Lifetime, Scope};
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage, AddressProtocol,
    AddressScope, CacheInfo,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

pub(super) fn add(
    link: LinkIndex,
    address: InterfaceAddress,
    options: &AddressOptions,
    mark: Option<u8>,
) -> RouteNetlinkMessage {
    let mut message = subject(link, options.held_as(address), options.peer);
    let flags = flags(address.family(), options);
    let low = u8::try_from(flags.bits() & 0xff).expect("masked to eight bits");
    message.header.flags = AddressHeaderFlags::from_bits_retain(low);
    message.attributes.push(AddressAttribute::Flags(flags));
    message.attributes.push(AddressAttribute::CacheInfo(lifetime(options.preferred)));
    let ours = mark.map(AddressProtocol::Other).map(AddressAttribute::Protocol);
    message.attributes.extend(ours);
    if address.family() == Family::V4 {
        only_of_ipv4(&mut message, options);
    }
    RouteNetlinkMessage::NewAddress(message)
}

pub(super) fn remove(
    link: LinkIndex,
    address: InterfaceAddress,
    peer: Option<InterfaceAddress>,
) -> RouteNetlinkMessage {
    RouteNetlinkMessage::DelAddress(subject(link, address, peer))
}

fn subject(
    link: LinkIndex,
    address: InterfaceAddress,
    peer: Option<InterfaceAddress>,
) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = match address.family() {
        Family::V4 => AddressFamily::Inet,
        Family::V6 => AddressFamily::Inet6,
    };
    message.header.prefix_len = address.prefix_len();
    message.header.index = link.0;
    let far = peer.map_or(address.ip(), InterfaceAddress::ip);
    message.attributes =
        vec![AddressAttribute::Local(address.ip()), AddressAttribute::Address(far)];
    message
}

/// What the kernel refuses or ignores on IPv6 addresses.
fn only_of_ipv4(message: &mut AddressMessage, options: &AddressOptions) {
    message.header.scope = scope(options.scope);
    if let Some(std::net::IpAddr::V4(broadcast)) = options.broadcast {
        message.attributes.push(AddressAttribute::Broadcast(broadcast));
    }
    if let Some(label) = &options.label {
        message.attributes.push(AddressAttribute::Label(label.to_string()));
    }
}

fn flags(family: Family, options: &AddressOptions) -> AddressFlags {
    let mut flags = AddressFlags::empty();
    flags.set(AddressFlags::Noprefixroute, options.no_prefix_route);
    flags.set(AddressFlags::Mcautojoin, options.autojoin);
    if family == Family::V6 {
        flags.set(AddressFlags::Nodad, !options.detect_duplicates);
        flags.set(AddressFlags::Homeaddress, options.home);
        flags.set(AddressFlags::Managetempaddr, options.manage_temporary);
    }
    flags
}

fn scope(scope: Scope) -> AddressScope {
    match scope {
        Scope::Global => AddressScope::Universe,
        Scope::Site => AddressScope::Site,
        Scope::Link => AddressScope::Link,
        Scope::Host => AddressScope::Host,
        Scope::Other(number) => AddressScope::from(number),
    }
}

fn lifetime(preferred: Lifetime) -> CacheInfo {
    const FOREVER: u32 = u32::MAX;
    let mut info = CacheInfo::default();
    info.ifa_valid = FOREVER;
    info.ifa_preferred = match preferred {
        Lifetime::Forever => FOREVER,
        Lifetime::Seconds(seconds) => seconds,
    };
    info
}
