//! Every event beside the line that a person reads.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_engine::vrrp::Reject;
use mainstay_plan::{AddressOptions, Refusal, Step};

use super::*;
use crate::testing::{key, link_name, name};

fn peer() -> IpAddr {
    IpAddr::from([192, 0, 2, 2])
}

fn says(event: &Event, level: Level, subject: &str, text: &str) {
    let line = of(event);
    let said = (line.level, line.subject.as_deref(), line.text.as_str());
    assert_eq!(said, (level, Some(subject), text));
}

fn changed(to: StateName, why: Cause) -> Event {
    let (router, from) = (name("VI_1"), StateName::Backup);
    Event::Vrrp(vrrp::Event::StateChanged { router, from, to, priority: 150, why })
}

#[test]
fn a_change_of_state_says_why() {
    use StateName::{Active, Backup, Fault, Initialize};
    let (from, link, script) = (peer(), link_name("eth0"), name("chk"));
    let (group, member) = (name("G"), name("VI_2"));
    let table = [
        (Active, Cause::Owner, Level::Info, "it is the address owner"),
        (Active, Cause::Silence { last_active: None }, Level::Info, "nobody else is Active"),
        (Active, Cause::Silence { last_active: Some(from) }, Level::Info, "192.0.2.2 fell silent"),
        (Active, Cause::Farewell { from }, Level::Info, "192.0.2.2 said farewell"),
        (
            Active,
            Cause::LowerPriority { from, theirs: 50, ours: 150 },
            Level::Info,
            "192.0.2.2 has the lower priority (50, ours 150)",
        ),
        (
            Backup,
            Cause::HigherPriority { from, theirs: 200, ours: 150 },
            Level::Info,
            "192.0.2.2 goes before us (priority 200, ours 150)",
        ),
        (Backup, Cause::Recovered, Level::Info, "everything it needs is back"),
        (Active, Cause::Resumed, Level::Info, "it takes over from the process before it"),
        (Backup, Cause::Group { group, member }, Level::Info, "VI_2 led group G"),
        (Initialize, Cause::Stopped, Level::Info, "it was stopped"),
        (Fault, Cause::Started, Level::Info, "it was started"),
        (Fault, Cause::LinkDown { link: link.clone() }, Level::Warning, "link eth0 is down"),
        (
            Fault,
            Cause::LinkMissing { link: link.clone() },
            Level::Warning,
            "link eth0 is not there",
        ),
        (Fault, Cause::NoPeers, Level::Warning, "it has no peers to advertise to"),
        (
            Fault,
            Cause::NoSource { link },
            Level::Warning,
            "link eth0 has no address to advertise from",
        ),
        (
            Fault,
            Cause::ScriptFailed { script: script.clone() },
            Level::Warning,
            "script chk failed",
        ),
        (Fault, Cause::ScriptUnknown { script }, Level::Warning, "script chk has no verdict yet"),
    ];
    for (to, why, level, sentence) in table {
        let event = changed(to, why);
        says(&event, level, "VI_1", &format!("VI_1: Backup → {to}: {sentence}"));
        assert_eq!(of(&event).state, Some(crate::present::state(to)));
    }
}

#[test]
fn what_else_the_protocol_tells() {
    let (router, from) = (name("VI_1"), peer());
    let group = vrrp::Event::GroupChanged {
        group: name("G"),
        from: StateName::Backup,
        to: StateName::Active,
    };
    let priority = vrrp::Event::PriorityChanged {
        router: router.clone(),
        from: 150,
        to: 90,
        state: StateName::Active,
    };
    let heard = vrrp::Event::ActiveHeard { router: router.clone(), address: from, priority: 200 };
    let lower = vrrp::Event::LowerPriorityHeard { router, from, theirs: 50, ours: 150 };
    let script = |up| vrrp::Event::ScriptChanged { script: name("chk"), up };
    let lower_text = "VI_1: 192.0.2.2 is Active as well, with the lower priority 50 (ours 150)";
    let table = [
        (group, Level::Info, "G", "group G: Backup → Active"),
        (priority, Level::Info, "VI_1", "VI_1: effective priority 150 → 90"),
        (heard, Level::Info, "VI_1", "VI_1: 192.0.2.2 is Active, priority 200"),
        (lower, Level::Warning, "VI_1", lower_text),
        (script(true), Level::Info, "chk", "script chk succeeds"),
        (script(false), Level::Warning, "chk", "script chk fails"),
    ];
    for (event, level, subject, text) in table {
        says(&Event::Vrrp(event), level, subject, text);
    }
}

#[test]
fn what_is_odd_about_a_peer_comes_with_a_remedy() {
    let from = peer();
    let table = [
        (
            Notice::IntervalDiffers { from, theirs: 100, ours: 10 },
            "192.0.2.2 advertises every 1000 ms, we every 100 ms: its interval is used; set both alike",
        ),
        (
            Notice::AddressesDiffer { from },
            "192.0.2.2 advertises other addresses than ours: compare the two configurations",
        ),
        (
            Notice::TwoOwners { from },
            "192.0.2.2 has priority 255 as well: one address has one owner; lower one of them",
        ),
        (
            Notice::SameAddress { from },
            "192.0.2.2 has the same priority and the same address as this node",
        ),
        (
            Notice::Dropped { from, why: Reject::Ttl },
            "advertisements from 192.0.2.2 are dropped: wrong-ttl",
        ),
    ];
    for (notice, text) in table {
        let event = Event::Vrrp(vrrp::Event::Noticed { router: name("VI_1"), notice });
        says(&event, Level::Warning, "VI_1", &format!("VI_1: {text}"));
    }
}

#[test]
fn what_happens_to_addresses() {
    let key = key("eth0", "192.0.2.100/24");
    let taken = |times, again_in| Event::AddressTaken { key: key.clone(), times, again_in };
    let (at_once, later) = (Duration::ZERO, Duration::from_secs(4));
    let (link, options) = (mainstay_base::LinkIndex(2), AddressOptions::default());
    let step = Step::AddAddress { link, key: key.clone(), options };
    let refusal = Refusal { errno: 13, message: "IPv6 is disabled on this device".to_owned() };
    let refused = Event::StepRefused { step: step.clone(), refusal, tries: 3, again_in: later };
    let accepted = Event::StepAccepted { step, tries: 3 };
    let table = [
        (
            taken(1, at_once),
            Level::Warning,
            "192.0.2.100/24 on eth0 was taken away by another program: put back",
        ),
        (
            taken(2, at_once),
            Level::Warning,
            "192.0.2.100/24 on eth0 was taken away by another program (2 times so far): put back",
        ),
        (
            taken(9, later),
            Level::Warning,
            "192.0.2.100/24 on eth0 is taken away again and again (9 times): put back in 4s",
        ),
        (
            refused,
            Level::Error,
            "the kernel refuses to add 192.0.2.100/24 on eth0: \
             IPv6 is disabled on this device (try 3, again in 4s)",
        ),
        (accepted, Level::Info, "the kernel took add 192.0.2.100/24 on eth0 after 3 refusals"),
    ];
    for (event, level, text) in table {
        says(&event, level, "192.0.2.100/24 on eth0", text);
    }
}

fn of_session_event(event: bfd::Event) -> Event {
    Event::Session { link: link_name("eth0"), event }
}

#[test]
fn a_session_says_what_its_silence_means_and_why_it_fell() {
    let local = IpAddr::from([192, 0, 2, 1]);
    let remote = peer();
    let peer = bfd::Peer { link: mainstay_base::LinkIndex(2), local, remote };
    let detection = Duration::from_millis(12);
    let up = of_session_event(bfd::Event::Up { peer, detection });
    let text = "192.0.2.2 on eth0 is watched: dead after 12ms of silence";
    says(&up, Level::Info, "192.0.2.2", text);
    let timed = of_session_event(bfd::Event::Timed { peer, detection: detection * 2 });
    let text = "192.0.2.2 on eth0: from now on dead after 24ms of silence";
    says(&timed, Level::Info, "192.0.2.2", text);
    let gone = "192.0.2.2 on eth0 is not watched any more";
    let (none, late) = (Duration::ZERO, Duration::from_millis(3));
    let table = [
        (
            DownCause::Silent,
            none,
            Level::Warning,
            "192.0.2.2 on eth0 fell silent: nothing was heard for 12ms".to_owned(),
        ),
        (
            DownCause::Silent,
            late,
            Level::Warning,
            "192.0.2.2 on eth0 fell silent: nothing was heard for 12ms, and 3ms more for our own lateness"
                .to_owned(),
        ),
        (DownCause::ToldDown, none, Level::Warning, format!("{gone}: it says that it does not hear us")),
        (DownCause::Unproven, none, Level::Warning, format!("{gone}: its packets are not authentic")),
        (DownCause::AdminDown, none, Level::Info, format!("{gone}: it was taken down on purpose")),
        (DownCause::Unwatched, none, Level::Info, format!("{gone}: it is not watched any more")),
        (DownCause::LinkGone, none, Level::Info, format!("{gone}: the link is gone")),
    ];
    for (why, late, level, text) in table {
        let last_heard = mainstay_base::Instant::from_nanos(1);
        let (missing, due) = (last_heard, last_heard + detection);
        let down = bfd::Event::Down { peer, why, last_heard, missing, detection, due, late };
        says(&of_session_event(down), level, "192.0.2.2", &text);
    }
}

#[test]
fn what_strangers_cause_at_will_is_thinned_for_each_router_and_kind() {
    let active = |router: &str, last: u8| {
        let address = IpAddr::from([192, 0, 2, last]);
        Event::Vrrp(vrrp::Event::ActiveHeard { router: name(router), address, priority: 254 })
    };
    let (router, from) = (name("VI_1"), peer());
    let lower = vrrp::Event::LowerPriorityHeard { router, from, theirs: 1, ours: 100 };
    let thinned = |event: &Event| of(event).thinned;
    assert_eq!(thinned(&active("VI_1", 7)), thinned(&active("VI_1", 8)));
    assert_ne!(thinned(&active("VI_1", 7)), thinned(&active("VI_2", 7)));
    assert_ne!(thinned(&active("VI_1", 7)), thinned(&Event::Vrrp(lower)));
    assert_eq!(thinned(&changed(StateName::Active, Cause::Owner)), Thinned::ByText);
}
