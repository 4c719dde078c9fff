//! Routers that speak on links of their own, which stand on others.

use mainstay_plan::{PresentVirtual, Siblings, VirtualKind, VirtualLink};

use super::*;

const OWN: LinkIndex = LinkIndex(7);

fn own() -> LinkName {
    "own0".parse().expect("a link name")
}

/// A Backup that speaks on a link of that kind, and an Active on plain Ethernet. These nodes' kernels make no links:
/// it is there.
fn net(kind: VirtualKind, mut backup: Settings) -> Net {
    let links = &mut backup.vrrp.routers[0].kernel.virtual_links;
    links.made = [(own(), VirtualLink { base: eth0(), kind, family: Family::V4 })].into();
    links.speaks_on = Some(own());
    let mut net = Net::of(vec![backup, settings(200)]);
    let on = PresentVirtual { base: ETH0, kind: Some(kind), raised: true, mark: None };
    let made = Link { virtual_on: Some(on), ..Link::ethernet(OWN, own(), None) };
    net.input(0, Input::Kernel(Change::Link(made)));
    net.pass(Duration::from_secs(4));
    net
}

/// The Backup hears the last advertisement of the other on its own link.
fn hear_last_advert(net: &mut Net) {
    let last = net.nodes[1].sent.iter().rev().find_map(|(_, sent)| match sent {
        Transmit::Vrrp(vrrp::Transmit::Advert { source, destination, ttl, payload, .. }) => {
            Some((*source, *destination, *ttl, payload.clone()))
        }
        Transmit::Vrrp(_) | Transmit::Bfd(_) | Transmit::Ask { .. } => None,
    });
    let (source, destination, ttl, payload) = last.expect("it is Active");
    let payload = payload.as_slice();
    net.input(0, Input::Received(vrrp::Received { link: OWN, source, destination, ttl, payload }));
}

fn peers(net: &Net) -> Vec<Peer> {
    net.sessions(0).iter().map(|watched| watched.session.peer).collect()
}

/// The base has the addresses, and the peer's come from there too.
#[test]
fn an_advertiser_that_is_heard_on_a_macvlan_is_watched_on_its_base() {
    let kind = VirtualKind::OwnMac(MacAddress([0, 0, 0x5e, 0, 1, 51]));
    let mut net = net(kind, settings(100));
    hear_last_advert(&mut net);
    net.pass(Duration::from_secs(2));
    assert_eq!(peers(&net), [Peer { link: ETH0, local: ip("10.0.0.11"), remote: ip("10.0.0.12") }]);
    assert_eq!(net.sessions(0)[0].session.state, State::Up);
    hear_last_advert(&mut net);
    net.input(1, Input::Command(Command::Leave));
    hear_last_advert(&mut net);
    assert_eq!(net.state(0), StateName::Backup);
    net.pass(MS * 6);
    assert_eq!(net.state(0), StateName::Active, "the quick skew after a farewell");
}

/// An ipvlan has an address of its own, which this node put there to stay.
#[test]
fn an_advertiser_that_is_heard_on_an_ipvlan_is_watched_there() {
    let address: InterfaceAddress = "10.0.0.50/24".parse().expect("an address");
    let mut backup = settings(100);
    let key = AddressKey { link: own(), address };
    let stays = VirtualAddress { key, options: AddressOptions::default(), track: false };
    backup.vrrp.fixed.addresses = vec![stays];
    let mut net = net(VirtualKind::BaseMac(Siblings::Bridge), backup);
    let present = PresentAddress { ours: true, ..PresentAddress::default() };
    net.input(0, Input::Kernel(Change::Address { link: OWN, address, present }));
    hear_last_advert(&mut net);
    assert_eq!(peers(&net), [Peer { link: OWN, local: ip("10.0.0.50"), remote: ip("10.0.0.12") }]);
    let places = net.nodes[0].engine.session_places();
    assert_eq!(places.into_iter().collect::<Vec<_>>(), [(OWN, Family::V4)]);
}
