//! The only converter from the engine's values to those of the api.

use mainstay_api as api;
use mainstay_engine::vrrp;
use mainstay_engine::{Refused, Settings};
use mainstay_plan::{Step, Subject};

use crate::channel::Report;
use crate::facts::Known;

mod line;
mod router;
mod session;
mod words;

pub(crate) use line::{counted, standing};
use words::{at_ms, verdict};
pub(crate) use words::{state, unix_ms};

/// The whole status.
pub(crate) fn status(report: &Report, known: &Known) -> api::Status {
    let view = &report.status.vrrp;
    api::Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        node: known.node.clone(),
        pid: std::process::id(),
        started_at_ms: unix_ms(known.started_at),
        now_ms: at_ms(report.now),
        configuration: known.configuration.clone(),
        configured_at_ms: unix_ms(known.configured_at),
        reload_refused: known.reload_refused.clone(),
        routers: view.routers.iter().map(|router| router::of(router, &report.status)).collect(),
        groups: view.groups.iter().map(group).collect(),
        scripts: view.scripts.iter().map(script).collect(),
        rejects: view.rejects.iter().map(|(why, count)| (why.name().to_owned(), *count)).collect(),
        refused: report.status.refused.iter().map(refused).collect(),
        lateness_max_us: report.lateness.max_us,
        lateness: report.lateness,
        detection: session::all(&report.status, &report.detection, report.now),
        drained: known.drained.node,
    }
}

/// Steps as a plan.
pub(crate) fn plan(steps: &[Step]) -> api::Plan {
    let step = |step: &Step| api::PlanStep { verb: step.verb().to_owned(), object: step.target() };
    api::Plan { steps: steps.iter().map(step).collect() }
}

/// Settings in one sentence.
pub(crate) fn summary(settings: &Settings) -> String {
    let vrrp = &settings.vrrp;
    let counted = |count: usize, noun: &str| match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    };
    let parts = [
        counted(vrrp.routers.len(), "virtual router"),
        counted(vrrp.groups.len(), "sync group"),
        counted(vrrp.scripts.len(), "tracked script"),
    ];
    parts.join(", ")
}

fn group(group: &vrrp::GroupView) -> api::Group {
    api::Group {
        name: group.name.to_string(),
        state: state(group.state),
        members: group.members.iter().map(ToString::to_string).collect(),
    }
}

fn script(script: &vrrp::ScriptView) -> api::Script {
    api::Script {
        name: script.name.to_string(),
        verdict: verdict(script.verdict),
        in_a_row: script.in_a_row,
        command: script.command.words.join(" "),
    }
}

fn refused(refused: &Refused) -> api::Refused {
    api::Refused {
        step: refused.step.to_string(),
        reason: refused.refusal.message.clone(),
        remedy: remedy(&refused.step.subject(), refused.refusal.errno).to_owned(),
        tries: refused.tries,
    }
}

/// What helps against an error of the kernel.
fn remedy(subject: &Subject, errno: i32) -> &'static str {
    use rustix::io::Errno;
    let is_address = matches!(subject, Subject::Address(_));
    let known = [
        (Errno::PERM, "run mainstay as root, or with CAP_NET_ADMIN"),
        (
            Errno::ROFS,
            "/proc/sys is read-only here: have the container mount it writable, or set it outside",
        ),
        (
            Errno::OPNOTSUPP,
            "this kernel lacks it: load its module, or take it out of the configuration",
        ),
        (Errno::NODEV, "the link has just gone; it is tried again when it comes back"),
        (Errno::NOBUFS, "the machine is out of memory; it is tried again"),
        (Errno::NOMEM, "the machine is out of memory; it is tried again"),
    ];
    let of_addresses = [
        (Errno::ACCESS, "IPv6 is switched off on this link (sysctl disable_ipv6)"),
        (Errno::EXIST, "the address is on the link already, with another prefix length or mark"),
        (Errno::INVAL, "the kernel does not take this address: compare it with its link"),
        (Errno::ADDRNOTAVAIL, "the address has just gone; nothing is to be done"),
    ];
    let of_others = [
        (Errno::ACCESS, "run mainstay as root, or let it write there"),
        (Errno::EXIST, "others have put one of that kind there: take theirs away, or name another"),
        (Errno::INVAL, "the kernel does not take it in this form: compare it with what is there"),
        (Errno::NETUNREACH, "its gateway is on no link that is up: see to the link or the gateway"),
    ];
    let further = if is_address { of_addresses } else { of_others };
    let found = known.into_iter().chain(further).find(|(known, _)| known.raw_os_error() == errno);
    found.map_or("it is tried again by itself", |(_, remedy)| remedy)
}

#[cfg(test)]
mod tests;
