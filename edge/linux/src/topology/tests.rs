//! Links as built, seen by iproute2.

use super::*;
use crate::testing::{address, ip, namespace, pair, runs};

#[test]
fn a_pair_of_links_joins_two_namespaces() {
    let pair = pair();
    let left = ip(&pair.left, "-d link show left");
    assert_eq!(left[0]["linkinfo"]["info_kind"], "veth");
    assert_eq!(left[0]["operstate"], "UP");
    assert_eq!(ip(&pair.right, "link show right")[0]["operstate"], "UP");
}

#[test]
fn a_bridge_forwards_between_its_ports() {
    let (hub, one, two) = (namespace(), namespace(), namespace());
    let mut links = Links::of(&hub).expect("opens");
    links.create_bridge("br0").expect("bridge");
    links.set_up("br0").expect("up");
    for (name, host, ip) in [("p1", &one, "10.0.0.1/24"), ("p2", &two, "10.0.0.2/24")] {
        links.create_veth(name, "eth0", Some(host)).expect("veth");
        links.attach(name, "br0").expect("attached");
        links.set_up(name).expect("up");
        let mut inside = Links::of(host).expect("opens");
        inside.set_up("eth0").expect("up");
        inside.add_address("eth0", address(ip)).expect("added");
        runs(host, "eth0");
        runs(&hub, name);
    }
    let detail = ip(&hub, "-d link show br0");
    assert_eq!(detail[0]["linkinfo"]["info_data"]["stp_state"], 0);
    assert_eq!(detail[0]["linkinfo"]["info_data"]["mcast_snooping"], 0);
    assert!(carries_datagrams(&one, &two));
    links.detach("p1").expect("detached");
    assert!(ip(&hub, "link show p1")[0].get("master").is_none());
}

/// Whether a datagram from one namespace reaches 10.0.0.2 in the other one.
fn carries_datagrams(from: &Namespace, to: &Namespace) -> bool {
    let bind = |ip: &str| std::net::UdpSocket::bind((ip, 0)).expect("bindable");
    let target = to.run(|| bind("10.0.0.2")).expect("enterable");
    target.set_read_timeout(Some(std::time::Duration::from_secs(5))).expect("a limit");
    let source = from.run(|| bind("10.0.0.1")).expect("enterable");
    source.send_to(b"over", target.local_addr().expect("bound")).expect("sent");
    target.recv(&mut [0; 8]).is_ok()
}

#[test]
fn links_are_renamed_changed_moved_and_deleted() {
    let (here, there) = (namespace(), namespace());
    let mut links = Links::of(&here).expect("opens");
    links.create_veth("a", "b", None).expect("veth");
    links.rename("a", "eth7").expect("renamed");
    links.set_mac("eth7", MacAddress([2, 0, 0, 0, 0, 7])).expect("changed");
    links.set_mtu("eth7", 1400).expect("changed");
    let seen = ip(&here, "link show eth7");
    assert_eq!(seen[0]["address"], "02:00:00:00:00:07");
    assert_eq!(seen[0]["mtu"], 1400);
    links.move_to("eth7", &there).expect("moved");
    assert_eq!(ip(&there, "link show eth7")[0]["ifname"], "eth7");
    links.delete("b").expect("deleted");
    let gone = Links::of(&there).expect("opens").index_of("eth7").expect_err("its pair is gone");
    assert_eq!(gone.to_string(), "cannot find link eth7: No such device");
}

#[test]
fn addresses_and_routes_stand_as_asked() {
    let mut pair = pair();
    pair.left_links.add_address("left", address("10.0.0.1/24")).expect("added");
    pair.left_links.add_address("left", address("2001:db8::1/64")).expect("added");
    pair.left_links.route_default("10.0.0.2".parse().expect("ip")).expect("routed");
    pair.left_links.route_default("2001:db8::2".parse().expect("ip")).expect("routed");
    let far = address("10.9.0.0/16");
    pair.left_links.route(far, "10.0.0.2".parse().expect("ip")).expect("routed");
    assert_eq!(ip(&pair.left, "route show default")[0]["gateway"], "10.0.0.2");
    assert_eq!(ip(&pair.left, "-6 route show default")[0]["gateway"], "2001:db8::2");
    assert_eq!(ip(&pair.left, "route show 10.9.0.0/16")[0]["gateway"], "10.0.0.2");
    pair.left_links.remove_address("left", address("10.0.0.1/24")).expect("removed");
    assert_eq!(ip(&pair.left, "-4 addr show left").as_array().map(Vec::len), Some(0));
}

#[test]
fn refusals_name_what_was_to_be_done() {
    let mut links = Links::of(&namespace()).expect("opens");
    links.create_bridge("br0").expect("bridge");
    let twice = links.create_bridge("br0").expect_err("it is there");
    assert_eq!(twice.to_string(), "cannot create bridge br0: File exists");
    let absent = links.set_up("eth9").expect_err("it is not there");
    assert_eq!(absent.refusal.errno, libc::ENODEV);
}

#[test]
fn system_variables_are_those_of_the_namespace() {
    let inside = namespace();
    let outside = sysctl("net.ipv4.conf.default.rp_filter").expect("readable");
    inside
        .run(|| {
            let other = if outside == "1" { "2" } else { "1" };
            set_sysctl("net.ipv4.conf.default.rp_filter", other).expect("writable");
            assert_eq!(sysctl("net.ipv4.conf.default.rp_filter").expect("readable"), other);
        })
        .expect("enterable");
    assert_eq!(sysctl("net.ipv4.conf.default.rp_filter").expect("readable"), outside);
    for bad in ["kernel.hostname", "net...//etc.x", "/etc/passwd"] {
        assert!(set_sysctl(bad, "1").is_err(), "{bad}");
    }
}
