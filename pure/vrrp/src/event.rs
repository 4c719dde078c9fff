//! What came about, in the past tense, each with its cause.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::LinkName;

use crate::evidence::Evidence;
use crate::gauge::{Gauge, Reading};
use crate::name::Name;

/// Where a virtual router stands, by name. RFC 9568 §6.4; Fault is keepalived's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StateName {
    /// Not started, or stopped.
    Initialize,
    /// It waits.
    Backup,
    /// It holds the virtual addresses.
    Active,
    /// It is unfit: a tracked thing failed, or there is nothing to advertise with.
    Fault,
}

/// A fact about a virtual router or a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A router is in another state.
    StateChanged {
        /// The router.
        router: Name,
        /// From.
        from: StateName,
        /// To.
        to: StateName,
        /// The effective priority after the change.
        priority: u8,
        /// Why.
        why: Cause,
    },
    /// A group is in another state; told after its members.
    GroupChanged {
        /// The group.
        group: Name,
        /// From.
        from: StateName,
        /// To.
        to: StateName,
    },
    /// The effective priority is another one.
    PriorityChanged {
        /// The router.
        router: Name,
        /// From.
        from: u8,
        /// To.
        to: u8,
        /// The state that it is in.
        state: StateName,
    },
    /// A Backup hears an Active that it did not know.
    ActiveHeard {
        /// The router.
        router: Name,
        /// The Active's address.
        address: IpAddr,
        /// Its priority.
        priority: u8,
    },
    /// While Active, a lower priority was heard: two were Active.
    LowerPriorityHeard {
        /// The router.
        router: Name,
        /// From whom.
        from: IpAddr,
        /// Its priority.
        theirs: u8,
        /// Ours.
        ours: u8,
    },
    /// A router is being handed over: it said farewell and goes on answering until another is seen to.
    HandoverBegan {
        /// The router.
        router: Name,
    },
    /// Another took over, and was seen to answer before this node stopped.
    HandedOver {
        /// The router.
        router: Name,
        /// The address that the other advertises from.
        to: IpAddr,
        /// Since the farewell.
        after: Duration,
    },
    /// A router was not handed over.
    HandoverFailed {
        /// The router.
        router: Name,
        /// Why.
        why: HandoverFailure,
    },
    /// A router counts as priority 1 from now on.
    Drained {
        /// The router.
        router: Name,
    },
    /// A router counts with its own priority again.
    Undrained {
        /// The router.
        router: Name,
    },
    /// While Active, there is evidence of another holder of the addresses; told once for each evidence.
    TwoHolders {
        /// The router.
        router: Name,
        /// What shows it.
        evidence: Evidence,
    },
    /// Nothing shows another holder any more: the addresses were announced again.
    OneHolder {
        /// The router.
        router: Name,
        /// Since the first evidence.
        after: Duration,
    },
    /// A tracked script's verdict changed.
    ScriptChanged {
        /// The script.
        script: Name,
        /// Whether it is up.
        up: bool,
    },
    /// A gauge reads something else.
    GaugeChanged {
        /// The gauge.
        gauge: Gauge,
        /// What it reads now.
        reading: Reading,
    },
    /// Something odd that still works; told once until the state changes.
    Noticed {
        /// The router.
        router: Name,
        /// What.
        notice: Notice,
    },
}

/// Why a router was not handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandoverFailure {
    /// There is no such router or group.
    Unknown,
    /// It is not Active here.
    NotActive {
        /// Who is, as far as is known.
        active: Option<IpAddr>,
    },
    /// Another handover of it, or the stop of the node, is under way.
    Underway,
    /// The address that it was to go to is not one of a peer that is known here.
    NoPeer {
        /// The address.
        to: IpAddr,
    },
    /// Another peer has more right than the one that it was to go to, or may have.
    WouldNotWin {
        /// The peer that it was to go to.
        to: IpAddr,
        /// The peer that may win.
        winner: IpAddr,
    },
    /// Nobody took over within the time that the protocol gives a successor.
    NobodyTookOver,
    /// It became unfit meanwhile.
    Unfit,
    /// Other settings gave it fellows that were not leaving.
    Reloaded,
}

/// Why a virtual router changed its state: enough for a sentence that a person understands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It was started.
    Started,
    /// It is the address owner.
    Owner,
    /// The Active (if one was known) was silent for the active-down interval.
    Silence {
        /// The Active that was heard last.
        last_active: Option<IpAddr>,
    },
    /// The Active was watched, and was silent for longer than a living one can be.
    PeerLost {
        /// The Active.
        from: IpAddr,
        /// The silence that counts as death.
        detection: Duration,
    },
    /// It was told to hand over, and another was seen to answer.
    HandedOver {
        /// Who took over.
        to: IpAddr,
    },
    /// The Active said farewell with priority 0.
    Farewell {
        /// From whom.
        from: IpAddr,
    },
    /// The Active has a lower priority, and we preempt.
    LowerPriority {
        /// From whom.
        from: IpAddr,
        /// Its priority.
        theirs: u8,
        /// Ours.
        ours: u8,
    },
    /// A router of higher priority (or of equal priority and higher address) advertises.
    HigherPriority {
        /// From whom.
        from: IpAddr,
        /// Its priority.
        theirs: u8,
        /// Ours.
        ours: u8,
    },
    /// A tracked or needed link is down.
    LinkDown {
        /// The link.
        link: LinkName,
    },
    /// A tracked or needed link is not there.
    LinkMissing {
        /// The link.
        link: LinkName,
    },
    /// There is nobody to advertise to.
    NoPeers,
    /// There is no address to advertise from.
    NoSource {
        /// The link.
        link: LinkName,
    },
    /// A tracked script failed.
    ScriptFailed {
        /// The script.
        script: Name,
    },
    /// A tracked script has given no verdict yet.
    ScriptUnknown {
        /// The script.
        script: Name,
    },
    /// The address that it advertises from, which is tracked, is not on its link.
    SourceGone {
        /// The address.
        source: IpAddr,
        /// The link.
        link: LinkName,
    },
    /// A gauge reads what makes the router unfit.
    GaugeBad {
        /// The gauge.
        gauge: Gauge,
    },
    /// A gauge has not been read yet.
    GaugeUnread {
        /// The gauge.
        gauge: Gauge,
    },
    /// All that made it unfit has passed.
    Recovered,
    /// An earlier process of this node held the addresses, and left them to this one.
    Resumed,
    /// Another member of its sync group led.
    Group {
        /// The group.
        group: Name,
        /// The member that led.
        member: Name,
    },
    /// The node is stopping, or the router was taken out of the settings.
    Stopped,
}

/// Something odd that still works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A version 3 peer advertises at another interval; we have learnt it.
    IntervalDiffers {
        /// From whom.
        from: IpAddr,
        /// Hundredths of a second.
        theirs: u16,
        /// Hundredths of a second.
        ours: u16,
    },
    /// A peer advertises other addresses than ours.
    AddressesDiffer {
        /// From whom.
        from: IpAddr,
    },
    /// Another router claims to be the address owner as well.
    TwoOwners {
        /// From whom.
        from: IpAddr,
    },
    /// A peer has the same priority and the same address as ours.
    SameAddress {
        /// From whom.
        from: IpAddr,
    },
    /// Advertisements of this router number were dropped for a reason that is a misconfiguration.
    Dropped {
        /// From whom.
        from: IpAddr,
        /// Why.
        why: crate::Reject,
    },
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StateName::Initialize => "Initialize",
            StateName::Backup => "Backup",
            StateName::Active => "Active",
            StateName::Fault => "Fault",
        })
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Started => f.write_str("it was started"),
            Cause::Owner => f.write_str("it is the address owner"),
            Cause::Silence { last_active: Some(last) } => write!(f, "{last} fell silent"),
            Cause::Silence { last_active: None } => f.write_str("nobody else is Active"),
            Cause::PeerLost { from, detection } => {
                write!(f, "{from} is dead (no sign of life for {detection:?})")
            }
            Cause::HandedOver { to } => write!(f, "it was handed over to {to}"),
            Cause::Farewell { from } => write!(f, "{from} said farewell"),
            Cause::LowerPriority { from, theirs, ours } => {
                write!(f, "{from} has the lower priority ({theirs}, ours {ours})")
            }
            Cause::HigherPriority { from, theirs, ours } => {
                write!(f, "{from} goes before us (priority {theirs}, ours {ours})")
            }
            Cause::LinkDown { link } => write!(f, "link {link} is down"),
            Cause::LinkMissing { link } => write!(f, "link {link} is not there"),
            Cause::NoPeers => f.write_str("it has no peers to advertise to"),
            Cause::NoSource { link } => write!(f, "link {link} has no address to advertise from"),
            Cause::ScriptFailed { script } => write!(f, "script {script} failed"),
            Cause::ScriptUnknown { script } => write!(f, "script {script} has no verdict yet"),
            Cause::SourceGone { source, link } => {
                write!(f, "{source}, which it advertises from, is not on link {link}")
            }
            Cause::GaugeBad { gauge } => write!(f, "{gauge} says so"),
            Cause::GaugeUnread { gauge } => write!(f, "{gauge} has not been read yet"),
            Cause::Recovered => f.write_str("everything it needs is back"),
            Cause::Resumed => f.write_str("it takes over from the process before it"),
            Cause::Group { group, member } => write!(f, "{member} led group {group}"),
            Cause::Stopped => f.write_str("it was stopped"),
        }
    }
}

impl fmt::Display for HandoverFailure {
    /// The reason and the remedy.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HandoverFailure::Unknown => f.write_str(
                "there is no such virtual router or sync group; `mainstay status` lists them",
            ),
            HandoverFailure::NotActive { active: Some(active) } => {
                write!(f, "{active} is Active, not this node; give the command there")
            }
            HandoverFailure::NotActive { active: None } => {
                f.write_str("it is not Active here, and no Active is known")
            }
            HandoverFailure::Underway => {
                f.write_str("a handover is under way already; wait until it is over")
            }
            HandoverFailure::NoPeer { to } => {
                write!(f, "{to} is not known as a peer; give the address that it advertises from")
            }
            HandoverFailure::WouldNotWin { to, winner } => write!(
                f,
                "{winner} would win or may win, not {to}; drain {winner} first, or name no node"
            ),
            HandoverFailure::NobodyTookOver => f.write_str(
                "nobody took over; look whether a Backup is running and hears this node",
            ),
            HandoverFailure::Unfit => f.write_str("it became unfit meanwhile"),
            HandoverFailure::Reloaded => {
                f.write_str("other settings came meanwhile and changed its group; try again")
            }
        }
    }
}
