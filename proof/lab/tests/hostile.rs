//! A running pair is sent what no peer of it sends: everything is counted, nothing moves.
//!
//! A third machine on the segment writes whole frames. Most claim the highest priority, so that
//! one that was used by mistake would move an address.

mod suite;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use mainstay_api::{Router, Status};
use mainstay_base::LinkIndex;
use mainstay_lab::drill::{self, Act, Drill, Role, Stage, Then};
use mainstay_lab::program::Program;
use mainstay_lab::wait;
use mainstay_linux::frames::{Frame, FrameSocket};

const BOUND: Duration = Duration::from_secs(10);

/// Each kind is sent so many times, and must be counted as many times.
const TIMES: u64 = 5;

const FLOOD: usize = 20_000;

/// By so much a process may grow: its allocator's slack, not something kept for each packet.
const GROWTH_KB: u64 = 4096;

/// The flood may make so many lines; each line tells of many packets.
const LINES: usize = 100;

fn main() -> ExitCode {
    let trials = vec![
        Trial::test("each_kind_is_counted_under_its_name_and_moves_nothing", each_kind),
        Trial::test("a_replayed_advert_is_used_like_the_first_and_moves_nothing", replay),
        Trial::test("a_flood_of_rubbish_moves_nothing_and_fills_nothing", flood),
    ];
    suite::run(2, trials)
}

/// What the pair speaks: each form of the protocol once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Version 2 with a password, IPv4.
    Two,
    /// Version 3, IPv4.
    Three,
    /// Version 3, IPv6.
    Six,
}

const FORMS: [Form; 3] = [Form::Two, Form::Three, Form::Six];
const PASSWORD: [u8; 8] = *b"1111\0\0\0\0";
const TOP: u8 = 254;

impl Form {
    fn vrid(self) -> u8 {
        match self {
            Form::Two => 51,
            Form::Three => 52,
            Form::Six => 53,
        }
    }

    /// Somebody on the link who is neither of the pair.
    fn stranger(self) -> IpAddr {
        match self {
            Form::Two | Form::Three => Ipv4Addr::new(192, 0, 2, 66).into(),
            Form::Six => Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xbad).into(),
        }
    }

    fn group(self) -> IpAddr {
        match self {
            Form::Two | Form::Three => Ipv4Addr::new(224, 0, 0, 18).into(),
            Form::Six => Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12).into(),
        }
    }

    /// The header without its checksum. RFC 3768 §5.1, RFC 9568 §5.1.
    fn header(self, priority: u8) -> [u8; 8] {
        match self {
            Form::Two => [0x21, self.vrid(), priority, 1, 1, 1, 0, 0],
            Form::Three => [0x31, self.vrid(), priority, 1, 0, 20, 0, 0],
            Form::Six => [0x31, self.vrid(), priority, 2, 0, 20, 0, 0],
        }
    }

    /// What follows the header: the addresses, and in version 2 the password.
    fn body(self) -> Vec<u8> {
        match self {
            Form::Two => [[192, 0, 2, 102].as_slice(), &PASSWORD].concat(),
            Form::Three => vec![192, 0, 2, 100],
            Form::Six => ["fe80::5eff:fe00:233", "2001:db8::100"]
                .map(|text| text.parse::<Ipv6Addr>().expect("an address").octets())
                .concat(),
        }
    }
}

fn file(role: &Role<'_>) -> String {
    let priority = [200, 150][role.host];
    let router = |name: &str, vrid: u8, lines: &str, addresses: &str| {
        format!(
            "vrrp_instance {name} {{\n interface eth0\n virtual_router_id {vrid}\n \
             priority {priority}\n {lines}\n virtual_ipaddress {{\n {addresses}\n }}\n}}\n"
        )
    };
    let pass = "advert_int 1\n authentication {\n auth_type PASS\n auth_pass 1111\n }";
    let quick = "version 3\n advert_int 0.2";
    let six = "fe80::5eff:fe00:233/64\n 2001:db8::100/64";
    [
        router("TWO", Form::Two.vrid(), pass, "192.0.2.102/24"),
        router("THREE", Form::Three.vrid(), quick, "192.0.2.100/24"),
        router("SIX", Form::Six.vrid(), quick, six),
    ]
    .concat()
}

/// A pair that speaks every form, the first one Active, and the frames' way to it.
struct Siege {
    stage: Stage,
    socket: FrameSocket,
    link: LinkIndex,
    before: [Sight; 2],
}

/// What must be the same afterwards, and what may have grown.
struct Sight {
    status: Status,
    lines: usize,
    sizes_kb: [u64; 2],
}

impl Siege {
    fn lay() -> Result<Siege, Failed> {
        let v3 = drill::named("v3").expect("the table has it");
        let addresses = &["192.0.2.100", "192.0.2.102", "2001:db8::100"];
        let interval = Duration::from_secs(1);
        let drill = Drill { file, addresses, interval, ..v3 };
        let mut stage = Stage::build(&drill, &[Program::Mainstay; 2])?;
        for host in [0, 1] {
            let began = stage.beat(Act::Start(host), Then::Holds(0));
            began.map_err(|error| format!("{error}\n{}", stage.logs()))?;
        }
        let outside = stage.cluster().host(2);
        let socket = outside.namespace().run(FrameSocket::open)??;
        let link = outside.links()?.index_of("eth0")?;
        let before = [sight(&stage, 0)?, sight(&stage, 1)?];
        Ok(Siege { stage, socket, link, before })
    }

    fn send(&self, frames: &[Vec<u8>]) -> Result<(), Failed> {
        for frame in frames {
            let out = || {
                let frame = Frame { link: self.link, bytes: frame };
                self.socket.send([frame]).count == 1
            };
            wait::until("room for a frame", BOUND, out)?;
        }
        Ok(())
    }

    /// Both processes of both hosts live, nobody changed state, nothing has grown without bound.
    fn stands(&self) -> Result<(), Failed> {
        for (host, before) in self.before.iter().enumerate() {
            let after = sight(&self.stage, host)?;
            assert_eq!(after.status.pid, before.status.pid, "another control process on {host}");
            assert_eq!(standing(&after.status), standing(&before.status), "a router moved");
            for (then, now) in before.sizes_kb.iter().zip(after.sizes_kb) {
                assert!(now <= then + GROWTH_KB, "from {then} KiB to {now} KiB on host {host}");
            }
            let grown = after.lines - before.lines;
            assert!(grown <= LINES, "{grown} lines on host {host}:\n{}", self.stage.logs());
        }
        Ok(())
    }
}

fn sight(stage: &Stage, host: usize) -> Result<Sight, Failed> {
    let status = stage.status(host)?;
    let daemon = stage.daemon(host).ok_or("no daemon")?;
    let sizes_kb = [resident_kb(daemon.pid())?, resident_kb(status.pid)?];
    Ok(Sight { lines: daemon.log().lines().count(), sizes_kb, status })
}

/// What a process has in memory; it must live to be read.
fn resident_kb(pid: u32) -> io::Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let size = line.and_then(|line| line.trim().split(' ').next()?.parse().ok());
    size.ok_or_else(|| io::Error::other(format!("process {pid} has no size: it is dead")))
}

/// Each router's state, its transitions, and what it counted of them.
fn standing(status: &Status) -> Vec<impl PartialEq + std::fmt::Debug> {
    let of = |router: &Router| {
        let counters = &router.counters;
        let changes = (counters.became_active, counters.released_active);
        (router.name.clone(), router.state, router.transitions.clone(), changes)
    };
    status.routers.iter().map(of).collect()
}

/// How many packets a node dropped for one reason, in the router or outside all of them.
fn dropped(status: &Status, vrid: Option<u8>, reason: &str) -> u64 {
    let rejects = match vrid {
        None => Some(&status.rejects),
        Some(vrid) => {
            let router = status.routers.iter().find(|router| router.vrid == vrid);
            router.map(|router| &router.counters.rejects)
        }
    };
    rejects.and_then(|rejects| rejects.get(reason)).copied().unwrap_or_default()
}

/// A packet of a peer, before it is spoilt.
#[derive(Clone, Debug)]
struct Packet {
    form: Form,
    source: IpAddr,
    ttl: u8,
    header: [u8; 8],
    body: Vec<u8>,
    /// Only so many bytes of it are sent.
    cut: usize,
    /// Follows the message and is no part of it.
    rubbish: usize,
    /// Added to the right checksum.
    checksum_off: u16,
}

impl Packet {
    fn of(form: Form) -> Packet {
        Packet {
            form,
            source: form.stranger(),
            ttl: 255,
            header: form.header(TOP),
            body: form.body(),
            cut: usize::MAX,
            rubbish: 0,
            checksum_off: 0,
        }
    }

    fn frame(&self) -> Vec<u8> {
        let group = self.form.group();
        let mut message = [self.header.as_slice(), &self.body].concat();
        let pseudo = match self.form {
            Form::Two => vec![],
            Form::Three | Form::Six => pseudo_header(self.source, group, message.len()),
        };
        let sum = checksum(&[pseudo, message.clone()].concat()).wrapping_add(self.checksum_off);
        message[6..8].copy_from_slice(&sum.to_be_bytes());
        message.truncate(self.cut);
        message.resize(message.len() + self.rubbish, 0xa5);
        framed(self.source, group, self.ttl, &message)
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// RFC 9568 §5.2.8: addresses, length, protocol.
fn pseudo_header(source: IpAddr, to: IpAddr, len: usize) -> Vec<u8> {
    let len = u32::try_from(len).expect("a short message").to_be_bytes();
    [octets(source), octets(to), len.to_vec(), vec![0, 0, 0, 112]].concat()
}

/// RFC 1071.
fn checksum(bytes: &[u8]) -> u16 {
    let word = |pair: &[u8]| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
    let mut sum: u32 = bytes.chunks(2).map(word).sum();
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !u16::try_from(sum).expect("it was folded")
}

/// The whole frame: Ethernet and IP around a payload of protocol 112.
fn framed(source: IpAddr, group: IpAddr, ttl: u8, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len()).expect("a short payload");
    let (to, mut ip) = match source {
        IpAddr::V4(_) => {
            let [high, low] = (len + 20).to_be_bytes();
            let header = vec![0x45, 0xc0, high, low, 0, 0, 0, 0, ttl, 112, 0, 0];
            ([1, 0, 0x5e, 0, 0, 0x12, 2, 0, 0, 0, 0, 0x66, 8, 0], header)
        }
        IpAddr::V6(_) => {
            let [high, low] = len.to_be_bytes();
            let header = vec![0x6c, 0, 0, 0, high, low, 112, ttl];
            ([0x33, 0x33, 0, 0, 0, 0x12, 2, 0, 0, 0, 0, 0x66, 0x86, 0xdd], header)
        }
    };
    ip.extend([octets(source), octets(group)].concat());
    if source.is_ipv4() {
        let sum = checksum(&ip);
        ip[10..12].copy_from_slice(&sum.to_be_bytes());
    }
    [to.as_slice(), &ip, payload].concat()
}

/// One kind of packet that must not be used.
struct Kind {
    what: &'static str,
    forms: &'static [Form],
    spoil: fn(&mut Packet),
    /// Where it is counted: at its router, or at the node.
    at_router: bool,
    reason: &'static str,
}

const ONLY_TWO: &[Form] = &[Form::Two];
const ONLY_V3: &[Form] = &[Form::Three, Form::Six];

const fn kind(what: &'static str, reason: &'static str, spoil: fn(&mut Packet)) -> Kind {
    Kind { what, forms: &FORMS, spoil, at_router: true, reason }
}

const KINDS: &[Kind] = &[
    Kind { at_router: false, ..kind("an empty packet", "too-short", |p| p.cut = 0) },
    Kind { at_router: false, ..kind("one byte", "too-short", |p| p.cut = 1) },
    Kind { at_router: false, ..kind("a foreign number", "unknown-vrid", |p| p.header[1] = 99) },
    kind("half a header", "too-short", |p| p.cut = 7),
    kind("half an address", "too-short", |p| p.cut = 10),
    kind("more addresses promised than sent", "too-short", |p| p.header[3] = 255),
    kind("rubbish after the end", "too-long", |p| p.rubbish = 41),
    kind("another version", "wrong-version", |p| p.header[0] = 0x41),
    kind("another type", "wrong-type", |p| p.header[0] += 1),
    kind("a wrong checksum", "wrong-checksum", |p| p.checksum_off = 1),
    kind("a hop behind it", "wrong-ttl", |p| p.ttl = 254),
    kind("no addresses", "no-addresses", without_addresses),
    Kind { forms: ONLY_V3, ..kind("interval zero", "interval-zero", |p| p.header[5] = 0) },
    Kind { forms: ONLY_TWO, ..kind("a wrong password", "wrong-password", |p| p.body[4] = b'2') },
    Kind { forms: ONLY_TWO, ..kind("no password", "wrong-authentication-type", no_password) },
    Kind { forms: ONLY_TWO, ..kind("another interval", "wrong-interval", |p| p.header[5] = 7) },
];

fn without_addresses(packet: &mut Packet) {
    packet.header[3] = 0;
    packet.body = match packet.form {
        Form::Two => PASSWORD.to_vec(),
        Form::Three | Form::Six => vec![],
    };
}

fn no_password(packet: &mut Packet) {
    packet.header[4] = 0;
    packet.body[4..].fill(0);
}

fn each_kind() -> Result<(), Failed> {
    let siege = Siege::lay()?;
    for kind in KINDS {
        for form in kind.forms {
            let mut packet = Packet::of(*form);
            (kind.spoil)(&mut packet);
            let vrid = kind.at_router.then(|| form.vrid());
            let count = |host| siege.stage.status(host).map(|s| dropped(&s, vrid, kind.reason));
            let before = [count(0)?, count(1)?];
            siege.send(&vec![packet.frame(); usize::try_from(TIMES)?])?;
            for (host, before) in before.into_iter().enumerate() {
                let what = format!("{} ({form:?}) as {} on {host}", kind.what, kind.reason);
                let counted = || count(host).is_ok_and(|now| now == before + TIMES);
                wait::until(&what, BOUND, counted)
                    .map_err(|error| format!("{error}: {before} then {:?}", count(host)))?;
            }
        }
    }
    siege.stands()
}

/// The protocol has nothing against a replay: a Backup takes it for the Active's own words, which
/// only puts off its turn. The Active itself knows its own address, and drops it where the kernel
/// has not done so already.
fn replay() -> Result<(), Failed> {
    let siege = Siege::lay()?;
    let used = |host: usize| -> io::Result<BTreeMap<u8, u64>> {
        let routers = siege.stage.status(host)?.routers;
        Ok(routers.iter().map(|r| (r.vrid, r.counters.adverts_received)).collect())
    };
    for form in FORMS {
        let status = &siege.before[1].status;
        let router = status.routers.iter().find(|router| router.vrid == form.vrid());
        let active = router.and_then(|router| router.active.as_ref()).ok_or("no Active known")?;
        let source = active.address.parse()?;
        let packet = Packet { source, header: form.header(200), ..Packet::of(form) };
        let (before, times) = (used(1)?[&form.vrid()], 500);
        siege.send(&vec![packet.frame(); times])?;
        let all = || used(1).is_ok_and(|now| now[&form.vrid()] >= before + times as u64);
        wait::until("every replayed packet being used", BOUND, all)?;
    }
    assert!(used(0)?.values().all(|used| *used == 0), "the Active used a word of its own");
    siege.stands()
}

/// Numbers without a pattern, the same ones in each run (xorshift, Marsaglia 2003).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.to_be_bytes()[3]
    }
}

fn flood() -> Result<(), Failed> {
    let siege = Siege::lay()?;
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let frames: Vec<Vec<u8>> = (0..FLOOD)
        .map(|number| {
            let form = FORMS[number % FORMS.len()];
            let len = usize::from(dice.roll() % 64);
            let mut payload: Vec<u8> = (0..len).map(|_| dice.roll()).collect();
            // Every other one looks like a packet of the router at first.
            if number % 2 == 0 {
                let known = form.header(TOP);
                payload.iter_mut().zip(&known[..4]).for_each(|(byte, known)| *byte = *known);
            }
            framed(form.stranger(), form.group(), 255, &payload)
        })
        .collect();
    siege.send(&frames)?;
    for host in [0, 1] {
        let all = || {
            siege.stage.status(host).is_ok_and(|status| {
                let routers = status.routers.iter().flat_map(|r| r.counters.rejects.values());
                let total: u64 = status.rejects.values().chain(routers).sum();
                total >= FLOOD as u64 / 2
            })
        };
        // The kernel drops what does not fit into a socket's queue; most of it does.
        wait::until("most of the flood being counted", BOUND, all)?;
    }
    siege.stands()
}
