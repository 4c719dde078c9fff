//! Watched peers: what is no death moves nothing, what is one moves the address at once.

mod suite;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddrV4;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use mainstay_api::{SessionCounters, SessionState};
use mainstay_lab::cluster::Cluster;
use mainstay_lab::drill::{Act, Then};
use mainstay_lab::loss::Loss;
use mainstay_lab::pair::{OWN, Pair};
use mainstay_lab::wait;
use mainstay_lab::watch::Watch;
use rustix::net::{AddressFamily, Protocol, SendFlags, SocketType};

const BOUND: Duration = Duration::from_secs(20);

/// Longer than a Backup of these files waits for advertisements: 3 s and its skew.
const LONGER: Duration = Duration::from_millis(4500);

fn main() -> ExitCode {
    let trials = vec![
        // First, as each takes a minute and does little: the others run meanwhile.
        Trial::test("an_active_whose_link_flaps_for_a_minute_moves_once_and_back", active_flaps),
        Trial::test("a_path_that_flaps_for_a_minute_moves_the_address_once", path_flaps),
        Trial::test(
            "a_backup_whose_link_flaps_for_a_minute_takes_nothing_from_others",
            backup_flaps,
        ),
        Trial::test("an_active_that_does_not_hear_its_backup_keeps_the_address", unheard),
        Trial::test("an_active_whose_kernel_answers_keeps_the_address", || halted(Pair::begin()?)),
        Trial::test("an_active_whose_kernel_answers_keeps_an_ipv6_address", || {
            halted(Pair::begin_ipv6()?)
        }),
        Trial::test("a_backup_that_stood_still_takes_nothing", backup_stood_still),
        Trial::test("an_active_that_stood_still_settles_with_its_successor", active_stood_still),
        Trial::test("a_backup_whose_machine_slept_takes_nothing", backup_slept),
        Trial::test("an_active_whose_machine_slept_has_the_address_alone", active_slept),
        Trial::test("forged_packets_of_sessions_move_nothing", forged),
    ];
    suite::run(4, trials)
}

/// The Backup hears that it is not heard: nobody died.
fn unheard() -> Result<(), Failed> {
    let pair = Pair::begin()?;
    let before = pair.counted(1)?;
    let loss = Loss::of(pair.stage().cluster(), 1, 0)?;
    pair.fallen(0, "silent")?;
    pair.fallen(1, "told-down")?;
    pair.stays(LONGER)?;
    drop(loss);
    pair.watch()?;
    pair.stays(Duration::from_secs(1))?;
    assert_eq!(pair.counted(1)?, before);
    Ok(())
}

/// All processes of the Active stand still for three times the silence of a dead host, again and again; its kernel
/// answers meanwhile. The supervisor stands still with the rest, as it would end a control process that it sees stopped.
fn halted(mut pair: Pair) -> Result<(), Failed> {
    const HALTS: usize = 20;
    const HALT: Duration = Duration::from_millis(40);
    /// A halt that took longer, on a busy machine, is no matter of the kernel's answers.
    const LONGEST: Duration = Duration::from_millis(60);
    const JUDGED_AT_LEAST: usize = 5;
    let mut judged = 0;
    for _ in 0..HALTS {
        let before = [pair.counted(0)?, pair.counted(1)?];
        let answered = counters(&pair)?.answered;
        let began = Instant::now();
        pair.daemon(0)?.freeze()?;
        std::thread::sleep(HALT);
        pair.daemon(0)?.thaw()?;
        let took = began.elapsed();
        heard_again(&pair)?;
        if took > LONGEST {
            pair.beat(Act::Rest, Then::Holds(0))?;
            pair.watch()?;
            continue;
        }
        let after = [pair.counted(0)?, pair.counted(1)?];
        assert_eq!(after, before, "{took:?}\n{}", pair.stage().logs());
        assert!(counters(&pair)?.answered > answered, "the kernel did not answer");
        judged += 1;
    }
    assert!(judged >= JUDGED_AT_LEAST, "only {judged} halts were short enough");
    Ok(())
}

/// Waits until the Backup hears the Active again, beyond what had come before.
fn heard_again(pair: &Pair) -> Result<(), Failed> {
    let enough = counters(pair)?.received + 20;
    let heard = || counters(pair).is_ok_and(|counters| counters.received >= enough);
    Ok(wait::until("packets of the Active", BOUND, heard).map_err(|error| pair.told(&error))?)
}

/// What the Backup counts of its session.
fn counters(pair: &Pair) -> Result<SessionCounters, Failed> {
    Ok(pair.session(1).ok_or("no session")?.counters)
}

/// What came in while it stood still is heard before anybody is judged.
fn backup_stood_still() -> Result<(), Failed> {
    let pair = Pair::begin()?;
    let before = pair.counted(1)?;
    for span in [Duration::from_millis(300), LONGER] {
        pair.daemon(1)?.freeze()?;
        pair.stays(span)?;
        pair.daemon(1)?.thaw()?;
        pair.watch()?;
        pair.stays(LONGER)?;
    }
    assert_eq!(pair.counted(1)?, before, "{}", pair.stage().logs());
    Ok(())
}

fn active_stood_still() -> Result<(), Failed> {
    let mut pair = Pair::begin()?;
    pair.daemon(0)?.freeze()?;
    pair.beat(Act::Rest, Then::Both)?;
    pair.daemon(0)?.thaw()?;
    pair.beat(Act::Rest, Then::Holds(0))?;
    Ok(pair.watch()?)
}

/// Puts a host's machine to sleep: its processes stand still, and what is sent to it meanwhile is lost.
fn sleep(pair: &Pair, host: usize) -> Result<(), Failed> {
    pair.daemon(host)?.freeze()?;
    Ok(pair.stage().cluster().isolate(host)?)
}

/// Wakes it: its processes run again before its link carries packets again, as after a suspend.
fn wake(pair: &Pair, host: usize) -> Result<(), Failed> {
    pair.daemon(host)?.thaw()?;
    Ok(pair.stage().cluster().rejoin(host)?)
}

/// Nothing that it missed lies in its sockets, and every deadline has passed.
fn backup_slept() -> Result<(), Failed> {
    let pair = Pair::begin()?;
    let before = pair.counted(1)?;
    sleep(&pair, 1)?;
    pair.stays(LONGER)?;
    wake(&pair, 1)?;
    pair.stays(LONGER)?;
    pair.watch()?;
    assert_eq!(pair.counted(1)?, before, "{}", pair.stage().logs());
    Ok(())
}

/// The Backup has taken over at once, and yields to the higher priority that is back.
fn active_slept() -> Result<(), Failed> {
    let mut pair = Pair::begin()?;
    let before = [pair.counted(0)?, pair.counted(1)?];
    sleep(&pair, 0)?;
    pair.beat(Act::Rest, Then::Both)?;
    std::thread::sleep(LONGER);
    wake(&pair, 0)?;
    pair.beat(Act::Rest, Then::Holds(0))?;
    pair.watch()?;
    let after = [pair.counted(0)?, pair.counted(1)?];
    let expected = [before[0], (before[1].0, before[1].1 + 1)];
    assert_eq!(after, expected, "{}", pair.stage().logs());
    Ok(())
}

const MINUTE: Duration = Duration::from_secs(60);

/// From one time to the next, a tenth of a second but for so much that of two advertisements one comes while it is out and
/// the other while it is back.
const FLAP: Duration = Duration::from_micros(1_000_000 * 2 / 21);

/// Out or back for so much longer than was meant, as long as a session bears at most, it is no flapping.
const HELD_UP: Duration = Duration::from_millis(100);

/// Lets something flap for that long, `out` for half of the time and `back` for the other half; how often the machine held
/// that up.
fn flap(
    span: Duration,
    out: impl Fn() -> io::Result<()>,
    back: impl Fn() -> io::Result<()>,
) -> Result<u64, Failed> {
    let began = Instant::now();
    let (mut next, mut held_up) = (began, 0);
    while began.elapsed() < span {
        let out_at = Instant::now();
        out()?;
        std::thread::sleep((next + FLAP / 2).saturating_duration_since(Instant::now()));
        back()?;
        let back_at = Instant::now();
        next = (next + FLAP).max(back_at);
        std::thread::sleep(next.saturating_duration_since(back_at));
        let longest = back_at.elapsed().max(back_at - out_at);
        held_up += u64::from(longest > FLAP / 2 + HELD_UP);
    }
    Ok(held_up)
}

/// A pair, what it had counted before, and where its address is.
struct Watched {
    pair: Pair,
    before: [(u32, u64); 2],
    watches: [Watch; 2],
}

impl Watched {
    fn begin() -> Result<Watched, Failed> {
        let pair = Pair::begin()?;
        let address = pair.stage().drill().target();
        let on = |host| Watch::start(pair.stage().cluster().host(host).namespace(), address);
        let (before, watches) = ([pair.counted(0)?, pair.counted(1)?], [on(0)?, on(1)?]);
        Ok(Watched { pair, before, watches })
    }

    /// Each became Active so often since then, as the same process, and had the address or not, one state after the other:
    /// no more and no less, unless the machine held the test up in between. Each time that it did may have moved the
    /// address once more.
    fn moved(&self, held_up: u64, moves: [u64; 2], states: [&[bool]; 2]) -> Result<(), Failed> {
        let (before, now) = (self.before, [self.pair.counted(0)?, self.pair.counted(1)?]);
        let seen = |watch: &Watch| watch.changes().iter().map(|change| change.there).collect();
        let seen: [Vec<bool>; 2] = self.watches.each_ref().map(seen);
        let moved = [0, 1].map(|host| now[host].1 - before[host].1);
        let is_so = [0, 1].iter().all(|host| {
            let may = moves[*host]..=moves[*host] + held_up;
            now[*host].0 == before[*host].0 && may.contains(&moved[*host])
        });
        if is_so && (held_up > 0 || seen.each_ref().map(Vec::as_slice) == states) {
            return Ok(());
        }
        let what = format!("{before:?} → {now:?}, {seen:?}, held up {held_up} times");
        Err(self.pair.told(&what).into())
    }
}

/// While its link is away nobody's silence counts, and it begins anew whenever it is back. Where its kernel, which is busy
/// with other links, tells of the first loss later than silence is borne, it may believe for that moment that it is alone,
/// as it is; nobody else notices.
fn backup_flaps() -> Result<(), Failed> {
    let watched = Watched::begin()?;
    let pair = &watched.pair;
    let cluster = pair.stage().cluster();
    let held_up = flap(MINUTE, || cluster.unplug(1), || cluster.plug(1))?;
    pair.stays(LONGER)?;
    pair.watch()?;
    let alone = pair.counted(1)?.1 - watched.before[1].1;
    if alone == 0 {
        return watched.moved(held_up, [0, 0], [&[true], &[false]]);
    }
    watched.moved(held_up, [0, 1], [&[true], &[false, true, false]])
}

/// Its successor has the address from the first time on until the link stays: who is back for a moment waits until it
/// knows whether somebody else is Active.
fn active_flaps() -> Result<(), Failed> {
    first_flaps([Cluster::unplug, Cluster::plug], [1, 1], &[true, false, true])
}

/// Nobody's link notices. The first time looks like a death; from then on the session has not been up for long, so that
/// such a silence is borne, and advertisements say who is Active.
fn path_flaps() -> Result<(), Failed> {
    first_flaps([Cluster::isolate, Cluster::rejoin], [0, 1], &[true])
}

/// What makes the first host's flap, how often each became Active, and where the first one had the address; the second one
/// has it in between.
fn first_flaps(
    [out, back]: [fn(&Cluster, usize) -> io::Result<()>; 2],
    moves: [u64; 2],
    first: &[bool],
) -> Result<(), Failed> {
    let mut watched = Watched::begin()?;
    let cluster = watched.pair.stage().cluster();
    let held_up = flap(MINUTE, || out(cluster, 0), || back(cluster, 0))?;
    watched.pair.beat(Act::Rest, Then::Holds(0))?;
    watched.pair.watch()?;
    watched.moved(held_up, moves, [first, &[false, true, false]])
}

/// The Active's own address as the source: from behind a router, and with numbers that it never
/// chose.
fn forged() -> Result<(), Failed> {
    let pair = Pair::begin()?;
    let before = [pair.counted(0)?, pair.counted(1)?];
    let outside = pair.stage().cluster().host(2).namespace();
    let raw = Protocol::from_raw(std::num::NonZeroU32::new(255).ok_or("not zero")?);
    let socket =
        outside.run(|| rustix::net::socket(AddressFamily::INET, SocketType::RAW, Some(raw)))??;
    let rejects = || pair.stage().status(1).map(|status| status.detection.rejects);
    for (ttl, state, discriminator, reason) in [
        (254, ADMIN_DOWN, 0, "wrong-ttl"),
        (254, DOWN, 0, "wrong-ttl"),
        (255, ADMIN_DOWN, 77, "unknown-discriminator"),
        (255, DOWN, 77, "unknown-discriminator"),
        (255, UP, 77, "unknown-discriminator"),
        (255, UP, 0, "your-discriminator-zero"),
    ] {
        let of = |rejects: &BTreeMap<String, u64>| rejects.get(reason).copied().unwrap_or_default();
        let had = of(&rejects()?);
        let packet = packet(ttl, state, discriminator);
        let to = SocketAddrV4::new(OWN[1], 0);
        rustix::net::sendto(&socket, &packet, SendFlags::empty(), &to)?;
        let counted = || rejects().is_ok_and(|now| of(&now) == had + 1);
        wait::until(&format!("state {state}, TTL {ttl} counted as {reason}"), BOUND, counted)
            .map_err(|error| pair.told(&format!("{error}: {:?}", rejects())))?;
    }
    for host in [0, 1] {
        let session = pair.session(host).ok_or("no session")?;
        assert_eq!((session.state, session.counters.downs), (SessionState::Up, 0), "{session:#?}");
    }
    pair.stays(LONGER)?;
    assert_eq!([pair.counted(0)?, pair.counted(1)?], before);
    Ok(())
}

const ADMIN_DOWN: u8 = 0;
const DOWN: u8 = 1;
const UP: u8 = 3;

/// IPv4, UDP and a BFD packet that claims to be the first host's and to stand in `state`.
fn packet(ttl: u8, state: u8, your_discriminator: u32) -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 52, 0, 0, 0, 0, ttl, 17, 0, 0];
    packet.extend(OWN[0].octets());
    packet.extend(OWN[1].octets());
    // From port 49200 to 3784, 32 bytes, without a checksum. RFC 5881 §4.
    packet.extend([0xc0, 0x30, 0x0e, 0xc8, 0, 32, 0, 0]);
    // Version 1, no diagnostic, multiplier 3, 24 bytes. RFC 5880 §4.1.
    packet.extend([0x20, state << 6, 3, 24]);
    packet.extend(0x0102_0304_u32.to_be_bytes());
    packet.extend(your_discriminator.to_be_bytes());
    packet.extend([10_000_u32, 10_000, 0].map(u32::to_be_bytes).concat());
    packet
}
