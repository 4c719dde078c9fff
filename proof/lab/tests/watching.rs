//! Watched peers: what is no death moves nothing, what is one moves the address at once.

mod suite;

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use mainstay_api::{SessionCounters, SessionState};
use mainstay_lab::drill::{Act, Then};
use mainstay_lab::loss::Loss;
use mainstay_lab::pair::{OWN, Pair};
use mainstay_lab::wait;
use rustix::net::{AddressFamily, Protocol, SendFlags, SocketType};

const BOUND: Duration = Duration::from_secs(20);

/// Longer than a Backup of these files waits for advertisements: 3 s and its skew.
const LONGER: Duration = Duration::from_millis(4500);

fn main() -> ExitCode {
    let trials = vec![
        Trial::test("an_active_that_does_not_hear_its_backup_keeps_the_address", unheard),
        Trial::test("an_active_whose_kernel_answers_keeps_the_address", || halted(Pair::begin()?)),
        Trial::test("an_active_whose_kernel_answers_keeps_an_ipv6_address", || {
            halted(Pair::begin_ipv6()?)
        }),
        Trial::test("a_backup_that_stood_still_takes_nothing", backup_stood_still),
        Trial::test("an_active_that_stood_still_settles_with_its_successor", active_stood_still),
        Trial::test("a_backup_whose_machine_slept_takes_nothing", backup_slept),
        Trial::test("an_active_whose_machine_slept_has_the_address_alone", active_slept),
        Trial::test("a_backup_whose_link_flaps_takes_nothing", backup_flaps),
        Trial::test("an_active_whose_link_flaps_is_active_again", active_flaps),
        Trial::test("forged_packets_of_sessions_move_nothing", forged),
    ];
    suite::run(3, trials)
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

/// Flaps the cable of a host so many times, a tenth of a second each way.
fn flap(pair: &Pair, host: usize, times: usize) -> Result<(), Failed> {
    let half = Duration::from_millis(50);
    let began = Instant::now();
    for number in 0..times {
        pair.stage().cluster().unplug(host)?;
        std::thread::sleep(half);
        pair.stage().cluster().plug(host)?;
        let next = began + half * 2 * u32::try_from(number + 1)?;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    Ok(())
}

fn backup_flaps() -> Result<(), Failed> {
    let pair = Pair::begin()?;
    let before = [pair.counted(0)?, pair.counted(1)?];
    flap(&pair, 1, 50)?;
    pair.stays(LONGER)?;
    pair.watch()?;
    assert_eq!([pair.counted(0)?, pair.counted(1)?], before);
    Ok(())
}

fn active_flaps() -> Result<(), Failed> {
    let mut pair = Pair::begin()?;
    let before = [pair.counted(0)?, pair.counted(1)?];
    flap(&pair, 0, 50)?;
    pair.beat(Act::Rest, Then::Holds(0))?;
    pair.watch()?;
    for host in [0, 1] {
        let (now, before) = (pair.counted(host)?, before[host]);
        assert_eq!(now.0, before.0, "another control process on {host}");
        assert!(now.1 <= before.1 + 51, "host {host} became Active {} times", now.1);
    }
    Ok(())
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
