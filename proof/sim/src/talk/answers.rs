//! What a node answers, in the words of a talk.

use std::fmt::Write;
use std::net::IpAddr;

use mainstay_base::LinkIndex;
use mainstay_engine::vrrp::{self, Notice};
use mainstay_engine::{Engine, Event, Transmit, WatchView, bfd};
use mainstay_plan::Actual;

use super::words::{length, moment};
use crate::control::ControlMessage;
use crate::links::{claimed_address, question};
use crate::message::{Message, Sum};

/// What a node sends, of whichever protocol.
pub(super) fn transmit(transmit: &Transmit, actual: &Actual) -> String {
    match transmit {
        Transmit::Vrrp(transmit) => of_vrrp_sent(transmit, actual),
        Transmit::Bfd(control) => {
            let bfd::Transmit { link, destination, payload, .. } = control;
            let words = ControlMessage::read(payload).map(|said| said.sentence());
            let words = words.unwrap_or_else(|| format!("bfd {}", hexadecimal(payload)));
            format!("send {words} to {destination}{}", on(*link, actual))
        }
        Transmit::Ask { link, bytes } => match question(bytes) {
            Some((_, wanted)) => format!("ask for {wanted}{}", on(*link, actual)),
            None => format!("send {}{}", hexadecimal(bytes), on(*link, actual)),
        },
    }
}

/// `send v2 advert vrid 51 priority 100 to 224.0.0.18`, and what else is not as it usually is.
pub(super) fn of_vrrp_sent(transmit: &vrrp::Transmit, actual: &Actual) -> String {
    match transmit {
        vrrp::Transmit::Advert { link, source, destination, ttl, payload } => {
            let Some((message, sum)) = Message::read(payload, *source, *destination) else {
                return format!("send {}", hexadecimal(payload));
            };
            let mut text = advert(&message);
            let own = actual.addresses_on(*link).any(|(address, _)| address.ip() == *source);
            let form = match sum {
                Sum::Message if message.version == 3 => " sum message-only",
                Sum::Pseudo(_, to) if to != *destination => " sum group-pseudo-header",
                Sum::Wrong => " sum WRONG",
                Sum::Message | Sum::Pseudo(..) => "",
            };
            let hops = if *ttl == 255 { String::new() } else { format!(" ttl {ttl}") };
            let from = if own { String::new() } else { format!(" from {source}") };
            let _ = write!(text, " to {destination}{from}{hops}{form}{}", on(*link, actual));
            text
        }
        vrrp::Transmit::Frame { link, bytes } => {
            format!("send {}{}", frame(bytes), on(*link, actual))
        }
    }
}

fn advert(message: &Message) -> String {
    let Message { version, vrid, priority, interval, .. } = message;
    let hundredths = u64::from(*interval) * if *version == 2 { 100 } else { 1 };
    let interval = length(std::time::Duration::from_millis(hundredths * 10));
    let mut text =
        format!("send v{version} advert vrid {vrid} priority {priority} interval {interval}");
    if message.authentication != 0 {
        let password = message.password.iter().take_while(|byte| **byte != 0);
        let password: String = password.map(|byte| char::from(*byte)).collect();
        let _ = write!(text, " password {password}");
    }
    text
}

/// ` on eth1`; nothing on `eth0`, where most talks happen.
fn on(link: LinkIndex, actual: &Actual) -> String {
    match actual.links.get(&link) {
        Some(link) if link.name.as_str() == "eth0" => String::new(),
        Some(link) => format!(" on {}", link.name),
        None => " on a link that is gone".to_owned(),
    }
}

const ARP_REQUEST: [u8; 2] = [0, 1];

/// `garp 10.0.0.1`, `na 2001:db8::1`, or the bytes of a frame that is neither.
fn frame(bytes: &[u8]) -> String {
    let broadcast = bytes.get(..6) == Some(&[0xff; 6]);
    let all_nodes = bytes.get(..6) == Some(&[0x33, 0x33, 0, 0, 0, 1]);
    match claimed_address(bytes) {
        Some(IpAddr::V4(ip)) if broadcast && bytes.get(38..42) == Some(&ip.octets()) => {
            let kind = if bytes.get(20..22) == Some(&ARP_REQUEST) { "request" } else { "reply" };
            format!("garp {kind} {ip}")
        }
        // Hop limit 255, solicited clear, override set. RFC 4861 §7.2.6.
        Some(IpAddr::V6(ip))
            if all_nodes && bytes.get(21) == Some(&255) && flags(bytes) == 0x20 =>
        {
            format!("na {ip}")
        }
        Some(_) | None => hexadecimal(bytes),
    }
}

/// The solicited and override flags of a neighbour advertisement; the router flag may be either.
fn flags(bytes: &[u8]) -> u8 {
    bytes.get(58).map_or(0, |flags| flags & 0x60)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// An event as a sentence.
pub(super) fn event(event: &Event) -> String {
    match event {
        Event::Vrrp(event) => of_vrrp(event),
        Event::Session { event, .. } => of_session(event),
        Event::AddressTaken { key, times, again_in } => {
            format!("{key} was taken away ({times}), put back in {}", length(*again_in))
        }
        Event::StepRefused { step, refusal, tries, again_in } => {
            let again = length(*again_in);
            format!("kernel refuses: {step}: {} (try {tries}, again in {again})", refusal.message)
        }
        Event::StepAccepted { step, tries } => {
            format!("kernel accepts: {step} (after {tries} tries)")
        }
    }
}

fn of_session(event: &bfd::Event) -> String {
    let remote = event.peer().remote;
    match event {
        bfd::Event::Up { detection, .. } => {
            format!("session with {remote} is up, detection {}", length(*detection))
        }
        bfd::Event::Timed { detection, .. } => {
            format!("session with {remote} has detection {}", length(*detection))
        }
        bfd::Event::Down { why, late, .. } => {
            let late =
                if late.is_zero() { String::new() } else { format!(", late {}", length(*late)) };
            format!("session with {remote} is down: {why}{late}")
        }
    }
}

fn of_vrrp(event: &vrrp::Event) -> String {
    match event {
        vrrp::Event::StateChanged { router, from, to, priority, why } => {
            format!("{router}: {from} to {to} with priority {priority}, because {why}")
        }
        vrrp::Event::GroupChanged { group, from, to } => format!("group {group}: {from} to {to}"),
        vrrp::Event::PriorityChanged { router, from, to, state } => {
            format!("{router}: priority {from} to {to} in {state}")
        }
        vrrp::Event::ActiveHeard { router, address, priority } => {
            format!("{router}: {address} is Active with priority {priority}")
        }
        vrrp::Event::LowerPriorityHeard { router, from, theirs, ours } => {
            format!("{router}: {from} has the lower right (priority {theirs}, ours {ours})")
        }
        vrrp::Event::HandoverBegan { router } => format!("{router}: handover began"),
        vrrp::Event::HandedOver { router, to, after } => {
            format!("{router}: handed over to {to} after {}", length(*after))
        }
        vrrp::Event::HandoverFailed { router, why } => {
            format!("{router}: not handed over: {why}")
        }
        vrrp::Event::Drained { router } => format!("{router}: drained"),
        vrrp::Event::Undrained { router } => format!("{router}: undrained"),
        vrrp::Event::TwoHolders { router, evidence } => {
            format!("{router}: two holders, {evidence}")
        }
        vrrp::Event::OneHolder { router, after } => {
            format!("{router}: one holder after {}", length(*after))
        }
        vrrp::Event::ScriptChanged { script, up } => {
            format!("script {script} is {}", if *up { "up" } else { "down" })
        }
        vrrp::Event::GaugeChanged { gauge, reading } => format!("{gauge} reads {reading:?}"),
        vrrp::Event::Noticed { router, notice } => {
            format!("{router}: notices {}", of_notice(notice))
        }
    }
}

fn of_notice(notice: &Notice) -> String {
    match notice {
        Notice::IntervalDiffers { from, theirs, ours } => {
            format!("the interval of {from}: {theirs} hundredths, ours {ours}")
        }
        Notice::AddressesDiffer { from } => format!("other addresses from {from}"),
        Notice::TwoOwners { from } => format!("a second address owner, {from}"),
        Notice::SameAddress { from } => format!("our own address from {from}"),
        Notice::Dropped { from, why } => format!("that packets of {from} are dropped: {why}"),
    }
}

/// `next 3.609375s active-down`, or that nothing is waited for.
pub(super) fn deadline(engine: &Engine) -> String {
    use mainstay_base::Machine;
    match engine.poll_timeout() {
        Some(deadline) => format!("next {} {}", moment(deadline.at), deadline.why),
        None => "next never".to_owned(),
    }
}

/// What `status` shows of a router: one line.
pub(super) fn status(engine: &Engine, now: mainstay_base::Instant) -> Vec<String> {
    let status = engine.status(now);
    let mut lines = Vec::new();
    for router in &status.vrrp.routers {
        let mut line = format!(
            "{} is {}, priority {}",
            router.name, router.standing.state, router.effective_priority
        );
        if let Some(active) = router.active {
            let _ = write!(line, ", Active is {} with {}", active.address, active.priority);
        }
        let times = &router.times;
        let interval = length(times.interval.duration());
        let _ = write!(line, ", interval {interval}, down {}", length(times.active_down));
        lines.push(line);
        for peer in router.peers.iter() {
            lines.push(format!("{}: {} sums {:?}", router.name, peer.address, peer.checksum));
        }
        for (reject, count) in router.counters.rejects.iter() {
            lines.push(format!("{}: dropped {count} {reject}", router.name));
        }
    }
    lines.extend(status.sessions.iter().map(session));
    let refused = status.session_rejects.iter();
    lines.extend(refused.map(|(reject, count)| format!("sessions: dropped {count} {reject}")));
    let unknown = status.vrrp.rejects.iter().filter(|(_, count)| *count > 0);
    lines.extend(unknown.map(|(reject, count)| format!("node: dropped {count} {reject}")));
    lines
}

/// What `status` shows of a session: one line.
fn session(watched: &WatchView) -> String {
    let session = &watched.session;
    let (remote, state, price) = (session.peer.remote, session.state, session.packets_per_second);
    let mut line = format!("session with {remote} is {state}, {price} packets a second");
    if let Some(detection) = session.detection {
        let _ = write!(line, ", detection {}", length(detection));
    }
    if let Some((_, why)) = session.last_down {
        let _ = write!(line, ", last down because {why}");
    }
    if watched.held_until.is_some() {
        line.push_str(", not believed yet");
    }
    line
}
