//! Names of tables, scopes, realms, classes and groups in routes and rules.

use mainstay_config::{Code, Loaded, keepalived, native, render};
use mainstay_engine::vrrp::Routing;

use crate::support::{Files, surroundings};

/// The names of a machine.
fn files() -> Files {
    Files::default()
        .with("/etc/iproute2/rt_tables", "# reserved\n255 local\n7\twan1 # the first\n0x8 wan2\n")
        .with("/etc/iproute2/rt_tables.d/more.conf", "9 wan3\n")
        .with("/usr/share/iproute2/rt_tables", "10 packaged\n")
        .with("/usr/share/iproute2/rt_tables.d/theirs.conf", "11 wan3\n12 added\n")
        .with("/usr/lib/iproute2/rt_realms", "0 cosmos\n3 east\n4 west\n")
        .with("/etc/iproute2/rt_dsfield", "0x28 AF11\n0xb8 EF\nnonsense\n0xzz odd\n")
        .with("/etc/iproute2/rt_scopes", "100 campus\n")
        .with("/etc/iproute2/group", "2 uplinks\n")
        .with("/srv/names/rt_tables", "77 wan1\n")
}

fn text(globals: &str, routes: &str, rules: &str) -> String {
    format!(
        "global_defs {{\n{globals}\n}}\nvrrp_instance a {{\ninterface eth0\nvirtual_router_id 51\n\
         virtual_ipaddress {{\n192.0.2.1/24\n}}\nvirtual_routes {{\n{routes}\n}}\n\
         virtual_rules {{\n{rules}\n}}\n}}\n"
    )
}

fn load(text: &str) -> Loaded {
    keepalived::load("k.conf", &mut files().with("k.conf", text), &surroundings())
}

fn routing(loaded: Loaded) -> Routing {
    let shown = render(&loaded.faults, &loaded.sources, false);
    assert!(!loaded.faults.iter().any(|fault| fault.code == Code::RoutingBad), "{shown}");
    let mut settings = loaded.settings.unwrap_or_else(|| panic!("{shown}"));
    settings.vrrp.routers.remove(0).kernel.routing
}

#[test]
fn names_are_looked_up_where_iproute2_has_them() {
    let routes = "10.1.0.0/16 via 192.0.2.9 table wan1 tos AF11 scope campus realms east/west
        10.2.0.0/16 via 192.0.2.9 table wan2 scope site
        10.3.0.0/16 via 192.0.2.9 table wan3 realms west dsfield EF
        10.4.0.0/16 via 192.0.2.9 table added
        10.5.0.0/16 via 192.0.2.9 table main";
    let rules = "from 192.0.2.1 table wan1 suppress_ifgroup uplinks priority 5";
    let routing = routing(load(&text("", routes, rules)));
    let shown: Vec<String> =
        routing.routes.iter().map(|route| format!("{}{}", route.key, route.route)).collect();
    assert_eq!(
        shown,
        [
            "10.1.0.0/16 table 7 tos 0x28 via 192.0.2.9 realms 3/4 scope 100",
            "10.2.0.0/16 table 8 via 192.0.2.9 scope 200",
            "10.3.0.0/16 table 9 tos 0xb8 via 192.0.2.9 realms 0/4",
            "10.4.0.0/16 table 12 via 192.0.2.9",
            "10.5.0.0/16 via 192.0.2.9",
        ]
    );
    let rule = routing.rules.first().map(ToString::to_string);
    assert_eq!(
        rule.as_deref(),
        Some("inet priority 5 from 192.0.2.1/32 table 7 suppress_ifgroup 2")
    );
}

#[test]
fn a_name_that_is_nowhere_is_said_with_the_file_that_lacks_it() {
    for (route, name, file) in [
        ("10.1.0.0/16 via 192.0.2.9 table packaged", "packaged", "rt_tables"),
        ("10.1.0.0/16 via 192.0.2.9 tos CS1", "CS1", "rt_dsfield"),
        ("10.1.0.0/16 via 192.0.2.9 scope nearby", "nearby", "rt_scopes"),
        ("10.1.0.0/16 via 192.0.2.9 realms east/south", "south", "rt_realms"),
    ] {
        let loaded = load(&text("", route, ""));
        let fault = loaded.faults.iter().find(|fault| fault.code == Code::RoutingBad);
        let message = &fault.unwrap_or_else(|| panic!("{route}")).message;
        assert!(message.starts_with(&format!("`{name}` is neither")), "{message}");
        assert!(message.contains(&format!("/etc/iproute2/{file}")), "{message}");
    }
}

#[test]
fn the_folders_of_names_can_be_set() {
    let globals = "iproute_etc_dir /srv/names/\niproute_usr_dir /usr/lib/iproute2";
    let routes = "10.1.0.0/16 via 192.0.2.9 table wan1 realms east";
    let routing = routing(load(&text(globals, routes, "")));
    assert_eq!(routing.routes[0].key.table, 77);
    assert_eq!(routing.routes[0].route.hop.realms, Some(3));
}

#[test]
fn the_native_language_knows_the_names_too() {
    let text = "version = 1\n[[virtual_router]]\nname = \"a\"\nlink = \"eth0\"\nvrid = 51\n\
                addresses = [\"192.0.2.1/24\"]\nroutes = [\"default via 192.0.2.9 table wan1\"]\n\
                rules = [\"priority 5 from 192.0.2.1 table wan3\"]\n";
    let routing = routing(native::load("m.toml", &mut files().with("m.toml", text)));
    assert_eq!(routing.routes[0].key.table, 7);
    assert!(routing.rules[0].to_string().ends_with("table 9"));
}

#[test]
fn a_vrf_is_the_table_that_it_has() {
    let route = "10.1.0.0/16 via 192.0.2.9 vrf blue";
    assert_eq!(routing(load(&text("", route, ""))).routes[0].key.table, 10);
    let loaded = load(&text("", "10.1.0.0/16 via 192.0.2.9 vrf green", ""));
    let message = &loaded.faults[0].message;
    assert!(message.starts_with("there is no vrf `green`: make it before"), "{message}");
}

#[test]
fn a_vrf_is_looked_up_in_the_namespace_that_the_file_names() {
    let route = "10.1.0.0/16 via 192.0.2.9 vrf blue";
    let table = |loaded: Loaded| routing(loaded).routes[0].key.table;
    assert_eq!(table(load(&text("net_namespace inner", route, ""))), 20);
    assert_eq!(table(load(&format!("net_namespace inner\n{}", text("", route, "")))), 20);
    assert_eq!(table(load(&(text("", route, "") + "net_namespace inner\n"))), 20, "wherever it is");
    let native = format!(
        "version = 1\nnode.network_namespace = \"inner\"\n[[virtual_router]]\nname = \"a\"\n\
         link = \"eth0\"\nvrid = 51\naddresses = [\"192.0.2.1/24\"]\nroutes = [\"{route}\"]\n"
    );
    assert_eq!(table(native::load("m.toml", &mut files().with("m.toml", native))), 20);
}

#[test]
fn what_keepalived_ignores_of_a_route_is_said_and_costs_nothing_else() {
    for (route, word) in [
        ("10.1.0.0/16 as to 100 via 192.0.2.9", "`as`"),
        ("10.1.0.0/16 as 100 via 192.0.2.9", "`as`"),
        ("10.1.0.0/16 ttl-propagate enabled via 192.0.2.9", "`ttl-propagate`"),
        (
            "10.1.0.0/16 nexthop via 192.0.2.9 encap mpls 3 nexthop via 192.0.2.8",
            "`encap` has no effect",
        ),
    ] {
        let loaded = load(&text("", route, ""));
        let faults: Vec<_> =
            loaded.faults.iter().filter(|one| one.code == Code::RouteOption).collect();
        assert!(faults.len() == 1 && faults[0].message.starts_with(word), "{route}: {faults:?}");
        let routes = routing(loaded).routes;
        assert_eq!(
            (routes.len(), &routes[0].route.encap, routes[0].route.expires),
            (1, &None, None)
        );
    }
}

#[test]
fn a_bad_encap_or_life_costs_the_route() {
    for (route, why) in [
        ("encap seg6 mode encap segs 2001:db8::5 dev eth0", "`encap seg6` is not carried out"),
        ("encap mpls 1048576 dev eth0", "expected labels"),
        ("encap mpls 1//2 dev eth0", "expected labels"),
        ("encap ip ttl 5 dev eth0", "a tunnel needs `dst ADDRESS` or `id N`"),
        ("encap ip dst 2001:db8::1 dev eth0", "a tunnel of IPv4 needs"),
        ("encap ip6 id 1 dst 10.1.1.1 dev eth0", "a tunnel of IPv6 needs"),
        ("encap ip id 1 ttl 300 dev eth0", "expected a number to 255"),
        ("encap ila 1:2:3 dev eth0", "expected a locator"),
        ("encap", "`encap` needs a value"),
        ("via 192.0.2.9 expires 100", "only routes of IPv6 expire"),
    ] {
        let loaded = load(&text("", &format!("10.1.0.0/16 {route}"), ""));
        let fault = loaded.faults.iter().find(|fault| fault.code == Code::RoutingBad);
        let message = &fault.unwrap_or_else(|| panic!("{route}")).message;
        assert!(message.starts_with(why), "{route}: {message}");
    }
}
