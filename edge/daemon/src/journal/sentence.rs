//! Each event as one sentence, with its weight.

use mainstay_api::Level;
use mainstay_base::LinkName;
use mainstay_engine::Event;
use mainstay_engine::bfd::{self, DownCause};
use mainstay_engine::vrrp::{self, Cause, Notice, Reading, StateName, Verdict};

use crate::log::{Line, Thinned};

/// The line for an event.
pub(super) fn of(event: &Event) -> Line {
    match event {
        Event::Vrrp(event) => of_vrrp(event),
        Event::Session { link, event } => of_session(link, event),
        Event::AddressTaken { key, times, again_in } if again_in.is_zero() => {
            let often = if *times > 1 { format!(" ({times} times so far)") } else { String::new() };
            warning(key, format!("{key} was taken away by another program{often}: put back"))
        }
        Event::AddressTaken { key, times, again_in } => warning(
            key,
            format!(
                "{key} is taken away again and again ({times} times): put back in {again_in:?}"
            ),
        ),
        Event::StepRefused { step, refusal, tries, again_in } => Line {
            level: Level::Error,
            ..warning(
                &step.subject(),
                format!(
                    "the kernel refuses to {step}: {} (try {tries}, again in {again_in:?})",
                    refusal.message
                ),
            )
        },
        Event::StepAccepted { step, tries } => {
            report(&step.subject(), format!("the kernel took {step} after {tries} refusals"))
        }
    }
}

/// The line for an event of the session with a peer. Silence is what sessions are for, and it is worth a warning;
/// a peer that says why it goes is daily life.
fn of_session(link: &LinkName, event: &bfd::Event) -> Line {
    let peer = event.peer().remote;
    match event {
        bfd::Event::Up { detection, .. } => report(
            &peer,
            format!("{peer} on {link} is watched: dead after {detection:?} of silence"),
        ),
        bfd::Event::Timed { detection, .. } => report(
            &peer,
            format!("{peer} on {link}: from now on dead after {detection:?} of silence"),
        ),
        bfd::Event::Down { why: DownCause::Silent, detection, late, .. } => {
            let late = match late.is_zero() {
                true => String::new(),
                false => format!(", and {late:?} more for our own lateness"),
            };
            let text =
                format!("{peer} on {link} fell silent: nothing was heard for {detection:?}{late}");
            warning(&peer, text)
        }
        bfd::Event::Down {
            why: why @ (DownCause::Overslept | DownCause::ToldDown | DownCause::Unproven),
            ..
        } => warning(&peer, format!("{peer} on {link} is not watched any more: {why}")),
        bfd::Event::Down {
            why: why @ (DownCause::AdminDown | DownCause::Unwatched | DownCause::LinkGone),
            ..
        } => report(&peer, format!("{peer} on {link} is not watched any more: {why}")),
    }
}

/// The line for an event of the protocol.
fn of_vrrp(event: &vrrp::Event) -> Line {
    match event {
        vrrp::Event::StateChanged { router, from, to, why, .. } => Line {
            subject: Some(router.to_string()),
            state: Some(crate::present::state(*to)),
            ..Line::new(weight(*to, why), format!("{router}: {from} → {to}: {why}"))
        },
        vrrp::Event::GroupChanged { group, from, to } => Line {
            subject: Some(group.to_string()),
            state: Some(crate::present::state(*to)),
            ..Line::new(Level::Info, format!("group {group}: {from} → {to}"))
        },
        vrrp::Event::PriorityChanged { router, from, to, .. } => {
            report(router, format!("{router}: effective priority {from} → {to}"))
        }
        vrrp::Event::ActiveHeard { router, address, priority } => {
            let text = format!("{router}: {address} is Active, priority {priority}");
            of_strangers(report(router, text), "Active")
        }
        vrrp::Event::LowerPriorityHeard { router, from, theirs, ours } => {
            let text = format!(
                "{router}: {from} is Active as well, with the lower priority {theirs} (ours {ours})"
            );
            of_strangers(warning(router, text), "lower priority")
        }
        vrrp::Event::HandoverBegan { router } => report(
            router,
            format!("{router}: handing over: it answers until another node is seen to"),
        ),
        vrrp::Event::HandedOver { router, to, after } => {
            report(router, format!("{router}: handed over to {to} after {after:?}"))
        }
        vrrp::Event::HandoverFailed { router, why } => {
            warning(router, format!("{router}: not handed over: {why}"))
        }
        vrrp::Event::Drained { router } => {
            report(router, format!("{router}: drained: it counts as priority 1 until undrained"))
        }
        vrrp::Event::Undrained { router } => {
            report(router, format!("{router}: undrained: it counts with its own priority again"))
        }
        vrrp::Event::TwoHolders { router, evidence } => {
            warning(router, format!("{router}: perhaps two hold its addresses: {evidence}"))
        }
        vrrp::Event::OneHolder { router, after } => report(
            router,
            format!("{router}: nothing shows a second holder any more, after {after:?}"),
        ),
        vrrp::Event::ScriptChanged { script, up: true } => {
            report(script, format!("script {script} succeeds"))
        }
        vrrp::Event::ScriptChanged { script, up: false } => {
            warning(script, format!("script {script} fails"))
        }
        vrrp::Event::GaugeChanged { gauge, reading: Reading::Level(level) } => {
            report(gauge, format!("{gauge} says {level}"))
        }
        vrrp::Event::GaugeChanged { gauge, reading: Reading::Verdict(verdict) } => match verdict {
            Verdict::Up => report(gauge, format!("{gauge} is good")),
            Verdict::Down => warning(gauge, format!("{gauge} is bad")),
            Verdict::Unknown => report(gauge, format!("{gauge} is not known")),
        },
        vrrp::Event::Noticed { router, notice } => {
            warning(router, format!("{router}: {}", noticed(notice)))
        }
    }
}

/// Losing what the router needs is worth a warning; everything else is daily life.
fn weight(to: StateName, why: &Cause) -> Level {
    match (to, why) {
        (StateName::Fault, Cause::Started) => Level::Info,
        (StateName::Fault, _) => Level::Warning,
        (StateName::Initialize | StateName::Backup | StateName::Active, _) => Level::Info,
    }
}

fn noticed(notice: &Notice) -> String {
    match notice {
        Notice::IntervalDiffers { from, theirs, ours } => format!(
            "{from} advertises every {} ms, we every {} ms: its interval is used; set both alike",
            u32::from(*theirs) * 10,
            u32::from(*ours) * 10
        ),
        Notice::AddressesDiffer { from } => {
            format!("{from} advertises other addresses than ours: compare the two configurations")
        }
        Notice::TwoOwners { from } => {
            format!("{from} has priority 255 as well: one address has one owner; lower one of them")
        }
        Notice::SameAddress { from } => {
            format!("{from} has the same priority and the same address as this node")
        }
        Notice::Dropped { from, why } => {
            format!("advertisements from {from} are dropped: {why}")
        }
    }
}

/// Whoever sends packets decides how many such lines there are and what they say: a few of each kind tell enough.
fn of_strangers(line: Line, kind: &str) -> Line {
    let name = format!("{kind} {}", line.subject.as_deref().unwrap_or_default());
    Line { thinned: Thinned::ByName(name), ..line }
}

fn report(subject: &impl ToString, text: String) -> Line {
    Line { subject: Some(subject.to_string()), ..Line::new(Level::Info, text) }
}

fn warning(subject: &impl ToString, text: String) -> Line {
    Line { subject: Some(subject.to_string()), ..Line::new(Level::Warning, text) }
}

#[cfg(test)]
mod tests;
