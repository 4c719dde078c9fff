//! The same file through keepalived and through mainstay gives the same kernel.

mod suite;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::process::{Command, ExitCode};
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use mainstay_lab::bench;
use mainstay_lab::cluster::{Cluster, Host, Layout, Plug};
use mainstay_lab::daemon::Daemon;
use mainstay_lab::directory::Directory;
use mainstay_lab::program::Program;
use mainstay_lab::snapshot::{self, Lines};
use mainstay_lab::{verdicts, wait};
use mainstay_linux::netns::Namespace;
use mainstay_linux::topology::set_sysctl;

/// Enough for an emulated machine, where one look at a kernel takes a second.
const BOUND: Duration = Duration::from_secs(60);

/// One feature: what stands in the instance, what stands beside it, and which of these addresses
/// answer a ping of a neighbour.
struct Row {
    name: &'static str,
    instance: &'static str,
    beside: &'static str,
    answers: &'static [(&'static str, bool)],
    /// A kind of link that the kernel may lack, and the commands of `ip` that make one on the host.
    setup: Option<(&'static str, &'static [&'static str])>,
    /// How strict the host is against unexpected sources, on all links.
    strictness: &'static str,
    /// What differs on purpose: moment, and the beginning of a line.
    differs: &'static [&'static str],
}

const PLAIN: Row = Row {
    name: "",
    instance: "virtual_ipaddress {\n 192.0.2.100/24\n}",
    beside: "",
    answers: &[],
    setup: None,
    strictness: "0",
    differs: &[],
};

/// keepalived leaves the variables of a base changed when it stops.
const BASE_VARIABLES: &[&str] =
    &["stopped: variable eth0 ipv4 arp_", "stopped: variable eth1 ipv4 arp_"];

/// Puts a link into a routing domain.
const DOMAIN: &[&str] =
    &["link add blue type vrf table 10", "link set blue up", "link set eth0 master blue"];

/// It has to be known, and is made by the programs.
const IPVLAN: Option<(&str, &[&str])> = Some(("ipvlan", &[]));

const ROWS: [Row; 20] = [
    Row {
        name: "addresses_with_all_options",
        instance: "virtual_ipaddress {
            192.0.2.100
            192.0.2.101/24 brd + label eth0:one
            203.0.113.1/25 brd 203.0.113.127 scope link noprefixroute
            203.0.113.129/26 dev eth1 scope site brd -
            203.0.113.193 dev eth1 scope host label eth1:two
            192.0.2.103 peer 192.0.2.200
            192.0.2.104/24 preferred_lft 0
        }
        virtual_ipaddress_excluded {
            2001:db8::101/64
            2001:db8::102/128
            2001:db8::103/64 home mngtmpaddr
            2001:db8::104/64 noprefixroute dev eth1 preferred_lft forever
            2001:db8::105/64 preferred_lft 600 -nodad
        }",
        answers: &[("192.0.2.100", true), ("2001:db8::101", true)],
        // keepalived forgets the lifetime of an IPv4 address, and an address with a far end when it stops.
        differs: &["stopped: address on eth0 {\"address\":\"192.0.2.200\"","as Active: address on eth0 {\"deprecated\":true,\"family\":\"inet\",", "as Active: address on eth0 {\"family\":\"inet\",\"label\":\"eth0\",\"local\":\"192.0.2.104\""],
        ..PLAIN
    },
    Row {
        name: "no_accept",
        instance: "no_accept
        virtual_ipaddress {\n 192.0.2.100/24\n}
        virtual_ipaddress_excluded {\n 2001:db8::101/64\n fe80::101/64\n}",
        answers: &[
            ("192.0.2.100", false),
            ("192.0.2.1", true),
            ("2001:db8::101", false),
            ("fe80::101%eth0", false),
        ],
        ..PLAIN
    },
    Row {
        name: "strict_mode_closes_addresses",
        instance: "strict_mode on\nvirtual_ipaddress {\n 192.0.2.100/24\n}",
        answers: &[("192.0.2.100", false)],
        ..PLAIN
    },
    Row {
        name: "use_vmac",
        instance: "use_vmac
        virtual_ipaddress {\n 192.0.2.100/24\n 192.0.2.101/24 dev eth0\n}",
        answers: &[("192.0.2.100", true), ("192.0.2.1", true)],
        differs: BASE_VARIABLES,
        ..PLAIN
    },
    Row {
        name: "use_vmac_where_sources_are_checked",
        instance: "use_vmac
        virtual_ipaddress {\n 192.0.2.100/24\n}",
        answers: &[("192.0.2.100", true), ("192.0.2.1", true)],
        // keepalived lets links that it has nothing to do with become less strict.
        differs: &["as Backup: variable eth1 ipv4 rp_", "as Active: variable eth1 ipv4 rp_", "stopped: variable eth0 ipv4 arp_"],
        strictness: "1",
        ..PLAIN
    },
    Row {
        name: "use_vmac_of_ipv6",
        instance: "use_vmac
        virtual_ipaddress {\n fe80::100/64\n 2001:db8::100/64\n}",
        answers: &[("2001:db8::100", true)],
        ..PLAIN
    },
    Row {
        name: "use_vmac_with_a_name_and_from_the_base",
        instance: "use_vmac vmac0\nvmac_xmit_base
        virtual_ipaddress {\n 192.0.2.100/24\n}",
        answers: &[("192.0.2.100", true)],
        differs: BASE_VARIABLES,
        ..PLAIN
    },
    Row {
        name: "use_vmac_for_addresses_elsewhere",
        instance: "use_vmac\nuse_vmac_addr
        virtual_ipaddress {\n 192.0.2.100/24\n 198.51.100.100/24 dev eth1\n}",
        answers: &[("192.0.2.100", true)],
        differs: BASE_VARIABLES,
        ..PLAIN
    },
    Row {
        name: "use_vmac_and_no_accept",
        instance: "use_vmac\nno_accept\nvirtual_ipaddress {\n 192.0.2.100/24\n}",
        answers: &[("192.0.2.100", false), ("192.0.2.1", true)],
        differs: BASE_VARIABLES,
        ..PLAIN
    },
    Row {
        name: "use_vmac_in_a_vrf",
        instance: "use_vmac\nvirtual_ipaddress {\n 192.0.2.100/24\n}",
        setup: Some((
            "vrf",
            DOMAIN,
        )),
        answers: &[("192.0.2.100", true), ("192.0.2.1", true)],
        differs: BASE_VARIABLES,
        ..PLAIN
    },
    Row {
        name: "use_ipvlan",
        instance: "use_ipvlan 192.0.2.50/24
        virtual_ipaddress {\n 192.0.2.100/24\n 192.0.2.101/24 dev eth0\n}",
        setup: IPVLAN,
        answers: &[("192.0.2.100", true), ("192.0.2.1", true), ("192.0.2.50", true)],
        ..PLAIN
    },
    Row {
        name: "use_ipvlan_with_a_name_and_no_accept",
        instance: "use_ipvlan own0 192.0.2.50 private\nno_accept
        virtual_ipaddress {\n 192.0.2.100/24\n}",
        setup: IPVLAN,
        answers: &[("192.0.2.100", false), ("192.0.2.1", true), ("192.0.2.50", true)],
        ..PLAIN
    },
    Row {
        name: "use_ipvlan_of_ipv6",
        instance: "use_ipvlan vepa
        virtual_ipaddress {\n fe80::100/64\n 2001:db8::100/64\n}",
        setup: IPVLAN,
        answers: &[("2001:db8::100", true)],
        ..PLAIN
    },
    Row {
        name: "use_ipvlan_of_ipv6_with_an_address",
        instance: "use_ipvlan fe80::50
        virtual_ipaddress {\n fe80::100/64\n 2001:db8::100/64\n}",
        setup: IPVLAN,
        answers: &[("2001:db8::100", true)],
        ..PLAIN
    },
    Row {
        name: "virtual_routes",
        instance: "virtual_ipaddress {\n 192.0.2.100/24\n}
        virtual_routes {
            10.30.0.0/16 via 192.0.2.254
            src 192.0.2.100 to 10.31.0.0/16 via 192.0.2.254 dev eth0 metric 5
            10.32.0.0/16 dev eth0 scope link table 100
            10.32.1.0/24 dev eth0 no_track
            blackhole 10.33.0.0/16
            unreachable 10.34.0.0/16
            10.35.0.0/16 via 192.0.2.254 mtu 1400 advmss 1360 window 1000 rtt 210ms initcwnd 10
            10.36.0.0/16 nexthop via 192.0.2.254 dev eth0 weight 3 nexthop via 198.51.100.254 dev eth1
            default via 192.0.2.253 table 100
            10.37.0.0/16 via 10.7.0.254 onlink dev eth0 quickack 1 congctl reno
            throw 10.40.0.0/16 table 100
            10.41.0.0/16 via 192.0.2.254 tos 16
            10.42.0.0/16 gw 192.0.2.254 realms 3/4
            10.44.0.0/16 via 192.0.2.254 fastopen_no_cookie 1 append
            prohibit 2001:db8:2::/64
            2001:db8:1::/64 via fe80::1 dev eth0
            2001:db8:3::/64 via fe80::1 dev eth0 pref high metric 99
            2001:db8:4::/64 via fe80::1 dev eth0 expires 600
            10.46.0.0/16 via 192.0.2.254 dev eth0 expires 600
            10.47.0.0/16 as to 100 via 192.0.2.254 dev eth0
            10.48.0.0/16 ttl-propagate enabled via 192.0.2.254 dev eth0
            10.49.0.0/16 encap ip id 7 dst 10.9.9.9 src 10.9.9.8 tos 4 ttl 9 dev eth0
            10.50.0.0/16 encap ip id 7 via 192.0.2.254 dev eth0 src 192.0.2.100
            10.51.0.0/16 encap ip6 id 7 dst 2001:db8::9 src 2001:db8::8 tc 4 hoplimit 9 dev eth0
            2001:db8:5::/64 encap ip6 dst 2001:db8::9 via fe80::1 dev eth0
            10.52.0.0/16 encap seg6 mode encap segs 2001:db8::5 dev eth1
        }",
        // keepalived puts a route without the wrapping that it does not know.
        differs: &["as Active: route -4 {\"dev\":\"eth1\",\"dst\":\"10.52.0.0/16\""],
        ..PLAIN
    },
    Row {
        name: "virtual_routes_with_labels_and_locators",
        instance: "virtual_ipaddress {\n 192.0.2.100/24\n}
        virtual_routes {
            10.30.0.0/16 encap mpls 100 via 192.0.2.254 dev eth0
            10.31.0.0/16 encap mpls 100/200 via 192.0.2.254 dev eth0
            2001:db8:1::/64 encap ila 1:2:3:4 via fe80::1 dev eth0
        }",
        setup: Some(("mpls", &[])),
        ..PLAIN
    },
    Row {
        name: "virtual_routes_in_a_vrf",
        instance: "virtual_ipaddress {\n 192.0.2.100/24\n}
        virtual_routes {
            10.30.0.0/16 via 192.0.2.254 dev eth0 vrf blue
        }",
        setup: Some(("vrf", DOMAIN)),
        ..PLAIN
    },
    Row {
        name: "virtual_rules",
        instance: "virtual_ipaddress {\n 192.0.2.100/24\n}
        virtual_rules {
            from 192.0.2.100 table 100
            to 10.50.0.0/16 table 101 priority 2000
            fwmark 0x10/0xff table 102
            iif eth0 oif eth1 tos 8 table 103
            from 2001:db8::/32 table 104
            to 10.60.0.0/16 blackhole
            not from 10.61.0.0/16 table 105 suppress_prefixlength 0
            from 10.62.0.0/16 ipproto tcp sport 100-200 dport 80-81 table 106
            from 10.63.0.0/16 uidrange 1-5 table 107
            from 10.64.0.0/16 goto 30000 priority 2500
            from 10.65.0.0/16 nop
            from 10.66.0.0/16 realms 30/20 tos 16 table 108
        }",
        ..PLAIN
    },
    Row {
        name: "promote_secondaries",
        instance: "promote_secondaries
        virtual_ipaddress {\n 192.0.2.100/24\n 203.0.113.1/24\n 203.0.113.2/24\n}",
        answers: &[("192.0.2.100", true)],
        ..PLAIN
    },
    Row {
        name: "static_addresses_routes_and_rules",
        beside: "static_ipaddress {\n 192.0.2.7/24 dev eth0\n 198.51.100.7/24 dev eth1 label eth1:s\n}
        static_routes {\n 10.20.0.0/16 via 192.0.2.254 dev eth0\n blackhole 10.66.0.0/16\n}
        static_rules {\n from 10.5.0.0/16 table 50 priority 3000\n}\n",
        answers: &[("192.0.2.7", true)],
        ..PLAIN
    },
];

fn main() -> ExitCode {
    // An emulated machine has no time for more: it would lose requests that no address was missing for.
    let is_emulated = std::env::var_os("MAINSTAY_MACHINE").is_some();
    let trial = |row: &'static Row| Trial::test(row.name, || row.play());
    static TABLE: [Row; 20] = ROWS;
    let mut trials: Vec<Trial> = TABLE.iter().map(trial).collect();
    trials.push(Trial::test("an_address_that_moves_by_reloads_never_leaves", reloads));
    trials.push(Trial::test("unicast_in_a_vrf_without_an_interface", unicast_in_a_domain));
    trials
        .push(Trial::test("a_vrf_of_another_namespace_is_found_before_a_start", domain_elsewhere));
    suite::run(if is_emulated { 2 } else { 6 }, trials)
}

/// The bench does more rounds of the same.
fn reloads() -> Result<(), Failed> {
    let outcome = bench::reload(50)?;
    assert!(outcome.asked > 50, "{outcome:?}");
    assert_eq!((outcome.lost, outcome.removals), (0, 0), "{outcome:?}");
    Ok(())
}

/// What one program made of the kernel.
#[derive(Debug, Default, PartialEq)]
struct Made {
    backup: Lines,
    active: Lines,
    stopped: Lines,
    answers: BTreeMap<&'static str, bool>,
}

impl Row {
    fn file(&self) -> String {
        format!(
            "{}vrrp_instance VI_1 {{\n version 3\n advert_int 0.2\n interface eth0\n \
             virtual_router_id 51\n priority 100\n {}\n}}\n",
            self.beside, self.instance
        )
    }

    /// Every address that the row names.
    fn addresses(&self) -> Vec<IpAddr> {
        let words = self.instance.split_whitespace().filter_map(|word| word.split('/').next());
        let asked = self.answers.iter().filter_map(|(ip, _)| ip.split('%').next());
        let all: BTreeSet<IpAddr> =
            words.chain(asked).filter_map(|word| word.parse().ok()).collect();
        all.into_iter().collect()
    }

    fn play(&self) -> Result<(), Failed> {
        if let Some((kind, _)) = self.setup
            && !is_known(kind)?
        {
            return not_run(self.name, kind);
        }
        let theirs = self.made_by(Program::Keepalived)?;
        let ours = self.made_by(Program::Mainstay)?;
        for (moment, theirs, ours) in [
            ("as Backup", &theirs.backup, &ours.backup),
            ("as Active", &theirs.active, &ours.active),
            ("stopped", &theirs.stopped, &ours.stopped),
        ] {
            let on_purpose = |line: &&String| {
                let line = format!("{moment}: {line}");
                self.differs.iter().any(|start| line.starts_with(start))
            };
            let other: Vec<&String> =
                theirs.symmetric_difference(ours).filter(|line| !on_purpose(line)).collect();
            if !other.is_empty() {
                let text =
                    format!("{moment}: {other:#?}\nkeepalived: {theirs:#?}\nmainstay: {ours:#?}");
                return Err(text.into());
            }
        }
        assert!(!ours.active.is_empty(), "an Active changes something");
        let all_as_told: BTreeMap<&str, bool> = self.answers.iter().copied().collect();
        assert_eq!(ours.answers, all_as_told, "what answers with mainstay");
        assert_eq!(theirs.answers, all_as_told, "what answers with keepalived");
        let left: Vec<&String> = ours.stopped.iter().collect();
        assert!(left.is_empty(), "mainstay leaves behind: {left:#?}");
        Ok(())
    }

    /// Plays the row with one program: first as Backup of a program on another host, then as Active.
    fn made_by(&self, program: Program) -> Result<Made, Failed> {
        let plug = |link, segment, address: &str| Plug::new(link, segment, &[address]);
        let router = |name: &str, number: u8| Layout {
            name: name.to_owned(),
            plugs: vec![
                plug("eth0", 0, &format!("192.0.2.{number}/24")),
                plug("eth1", 1, &format!("198.51.100.{number}/24")),
            ],
            ..Layout::default()
        };
        let client = Layout {
            name: "client".to_owned(),
            plugs: vec![Plug::new("eth0", 0, &["192.0.2.9/24", "2001:db8::9/64"])],
            ..Layout::default()
        };
        let cluster = Cluster::build(vec![router("r1", 1), router("r2", 2), client])?;
        let host = cluster.host(0);
        let strictness = "net.ipv4.conf.all.rp_filter";
        cluster.host(0).namespace().run(|| set_sysctl(strictness, self.strictness))??;
        for words in self.setup.map_or(&[][..], |(_, commands)| commands) {
            host.namespace().run(|| ip(words))??;
        }
        let before = snapshot::everything(host)?;
        let above = self.file().replace("priority 100", "priority 200");
        // No two hosts have the same address of their own.
        let above = above.replace("192.0.2.50", "192.0.2.60").replace("fe80::50", "fe80::60");
        let peer = Daemon::start(&cluster, 1, Program::Keepalived, &above)?;
        wait_for_active(&cluster, 1, false)?;
        let daemon = Daemon::start(&cluster, 0, program, &self.file())?;
        let addresses = self.addresses();
        let mut made = Made { backup: settled(&cluster, &before, &daemon)?, ..Made::default() };
        made.backup.extend(verdicts::take(host, &addresses)?);
        peer.stop()?;
        peer.gone()?;
        wait_for_active(&cluster, 0, self.setup.is_some())
            .map_err(|error| format!("{error:?}\n{}", daemon.log()))?;
        made.active = settled(&cluster, &before, &daemon)?;
        made.active.extend(verdicts::take(host, &addresses)?);
        made.answers = self.answers.iter().map(|(ip, _)| (*ip, answers(&cluster, ip))).collect();
        daemon.stop()?;
        daemon.gone()?;
        made.stopped = snapshot::take(host, &before)?;
        made.stopped.extend(verdicts::take(host, &addresses)?);
        Ok(made)
    }
}

fn not_run(name: &str, kind: &str) -> Result<(), Failed> {
    eprintln!("NOT RUN HERE: {name}: this kernel has no {kind}");
    eprintln!("in a virtual machine: cargo xtask machine kernel -- {name}");
    Ok(())
}

/// What goes to unicast peers goes by whatever link of the routing domain leads there.
fn unicast_in_a_domain() -> Result<(), Failed> {
    if !is_known("vrf")? {
        return not_run("unicast_in_a_vrf_without_an_interface", "vrf");
    }
    let router = |number: u8| {
        let plug = Plug::new("eth0", 0, &[&format!("192.0.2.{number}/24")]);
        Layout::new(&format!("r{number}"), plug)
    };
    let cluster = Cluster::build(vec![router(1), router(2)])?;
    for words in DOMAIN {
        cluster.host(0).namespace().run(|| ip(words))??;
    }
    let file = |own: u8, peer: u8, place: &str, priority: u8| {
        format!(
            "vrrp_instance VI_1 {{\n version 3\n advert_int 0.2\n {place}\n \
             virtual_router_id 51\n priority {priority}\n unicast_src_ip 192.0.2.{own}\n \
             unicast_peer {{\n 192.0.2.{peer}\n }}\n \
             virtual_ipaddress {{\n 192.0.2.100/24 dev eth0\n }}\n}}\n"
        )
    };
    let hears = |daemon: &Daemon, host: usize, peer: u8| {
        let peer = format!("192.0.2.{peer}");
        wait::until("the peer's advertisements", BOUND, || {
            daemon.status(cluster.host(host)).is_ok_and(|status| {
                let active = status.routers[0].active.as_ref();
                active.is_some_and(|active| active.address == peer)
            })
        })
        .map_err(|late| Failed::from(format!("{late}\n{}", daemon.log())))
    };
    let strong = file(2, 1, "interface eth0", 200);
    let strong = Daemon::start(&cluster, 1, Program::Keepalived, &strong)?;
    wait_for_active(&cluster, 1, false)?;
    let inside = Daemon::start(&cluster, 0, Program::Mainstay, &file(1, 2, "vrf blue", 100))?;
    hears(&inside, 0, 2)?;
    strong.stop()?;
    strong.gone()?;
    wait_for_active(&cluster, 0, true)?;
    let weak = file(2, 1, "interface eth0", 50);
    let weak = Daemon::start(&cluster, 1, Program::Mainstay, &weak)?;
    hears(&weak, 1, 1)
}

/// A file is checked, imported and planned for the network namespace that it names, and whose routing domains count.
fn domain_elsewhere() -> Result<(), Failed> {
    // Both shells may be one that brings these commands itself.
    const INSIDE: &str = "mount -t tmpfs none /run && mkdir /run/netns && : > /run/netns/inner && \
                          mount --bind \"$1\" /run/netns/inner && shift && exec \"$@\"";
    if !is_known("vrf")? {
        return not_run("a_vrf_of_another_namespace_is_found_before_a_start", "vrf");
    }
    let router = |number: u8| {
        let plug = Plug::new("eth0", 0, &[&format!("192.0.2.{number}/24")]);
        Layout::new(&format!("r{number}"), plug)
    };
    let (cluster, folder) = (Cluster::build(vec![router(1), router(2)])?, Directory::make()?);
    for words in DOMAIN {
        cluster.host(1).namespace().run(|| ip(words))??;
    }
    let instance = "vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n \
                    virtual_ipaddress {\n 192.0.2.100/24\n }\n \
                    virtual_routes {\n 10.30.0.0/16 dev eth0 vrf blue\n }\n}\n";
    let file = |name: &str, text: &str| -> io::Result<String> {
        let path = folder.path().join(name);
        std::fs::write(&path, text)?;
        Ok(path.display().to_string())
    };
    let own = file("own.conf", instance)?;
    let named = file("named.conf", &format!("net_namespace inner\n{instance}"))?;
    let ours = Program::Mainstay.path()?;
    let swapped = folder.path().join("keepalived");
    std::os::unix::fs::symlink(&ours, &swapped)?;
    let (ours, swapped) = (ours.display().to_string(), swapped.display().to_string());
    let inner = cluster.host(1).namespace().as_fd().as_raw_fd();
    let inner = format!("/proc/{}/fd/{inner}", std::process::id());
    let run = |words: &[&str]| {
        let mut command = Command::new("sh");
        command.args(["-c", "exec unshare -m sh -c \"$0\" sh \"$@\"", INSIDE, &inner]).args(words);
        let output = cluster.host(0).namespace().run(|| command.output())??;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        Ok::<_, Failed>((output.status.success(), text))
    };
    for (words, is_good) in [
        (&[&ours, "check", "--keepalived", &own][..], false),
        (&[&ours, "check", "--keepalived", &named], true),
        (&[&ours, "plan", "--keepalived", &named], true),
        (&[&swapped, "-t", "-f", &own], false),
        (&[&swapped, "-t", "-f", &named], true),
        (&[&swapped, "-t", "-s", "inner", "-f", &own], true),
    ] {
        let (good, told) = run(words)?;
        assert!(good == is_good, "{words:?}: {told}");
        assert_eq!(told.contains("there is no vrf `blue`"), !is_good, "{words:?}: {told}");
    }
    let (good, told) = run(&[&ours, "import", "keepalived", &named])?;
    assert!(good && told.contains("10.30.0.0/16 table 10"), "{told}");
    Ok(())
}

/// Whether the kernel makes links of that kind.
fn is_known(kind: &str) -> Result<bool, Failed> {
    let words = match kind {
        "vrf" => "link add probe type vrf table 10",
        "mpls" => "route add 10.30.0.0/16 encap mpls 100 dev below",
        _ => "link add link below name probe type ipvlan mode l2",
    };
    let probe = || {
        ip("link add below type veth peer name other")?;
        ip("link set below up").map(|()| ip(words).is_ok())
    };
    Ok(Namespace::make()?.run(probe)??)
}

fn ip(words: &str) -> io::Result<()> {
    let output = Command::new("ip").args(words.split(' ')).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("ip {words}: {}", String::from_utf8_lossy(&output.stderr))))
}

/// A router that is Active has some of the addresses.
fn wait_for_active(cluster: &Cluster, host: usize, in_domain: bool) -> Result<(), Failed> {
    let host = cluster.host(host);
    let has = |text: &str| host.holds(text.parse().expect("an address"));
    let any = || ["192.0.2.100", "2001:db8::100"].iter().any(|text| has(text).unwrap_or(false));
    Ok(wait::until("Active", BOUND, || any() || in_domain && is_in_a_domain(host))?)
}

/// An address in a routing domain is nobody's who does not ask for that domain.
fn is_in_a_domain(host: &Host) -> bool {
    let there = ["192.0.2.100", "table", "10"];
    let ask =
        || Command::new("ip").args(["-j", "route", "show", "type", "local"]).args(there).output();
    let told = host.namespace().run(ask).and_then(|output| output);
    told.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("192.0.2.100"))
}

/// What is there once nothing has changed for some time.
fn settled(cluster: &Cluster, before: &Lines, daemon: &Daemon) -> Result<Lines, Failed> {
    // A program that starts in an emulated machine changes nothing for a second.
    const LOOKS: usize = 10;
    let host = cluster.host(0);
    let mut last = snapshot::take(host, before)?;
    let mut same = 0;
    wait::until("a kernel at rest", BOUND, || {
        let now = snapshot::take(host, before).unwrap_or_default();
        same = if now == last { same + 1 } else { 0 };
        last = now;
        same >= LOOKS
    })
    .map_err(|error| format!("{error}\n{}", daemon.log()))?;
    Ok(last)
}

/// Whether an address answers the client.
fn answers(cluster: &Cluster, ip: &str) -> bool {
    let ping = || Command::new("ping").args(["-c3", "-i0.2", "-W1", "-q", ip]).output();
    let output = cluster.host(2).namespace().run(ping);
    output.is_ok_and(|output| output.is_ok_and(|output| output.status.success()))
}
