//! What the operator asked for of the whole node.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use mainstay_base::{CarrierSource, LinkName};
use mainstay_bfd::{self as bfd, Authentication, SessionSettings};
use mainstay_vrrp::{self as vrrp, Command, Name};

use crate::outside::{WatchedFile, WatchedProcess};
use crate::telling::Telling;

/// Everything that a configuration says, already checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// What concerns the node as a whole.
    pub node: Node,
    /// Virtual routers, sync groups, tracked scripts.
    pub vrrp: vrrp::Settings,
    /// Files behind the gauges that routers track.
    pub files: Vec<WatchedFile>,
    /// Processes behind the gauges that routers track.
    pub processes: Vec<WatchedProcess>,
    /// Links whose carrier is asked for every second, as the kernel alone is not believed, and how.
    pub polled_links: BTreeMap<LinkName, CarrierSource>,
    /// Whom to tell beside the programs of routers and groups.
    pub telling: Telling,
    /// Whom to tell about a router.
    pub notify_routers: BTreeMap<Name, Notify>,
    /// Whom to tell about a sync group.
    pub notify_groups: BTreeMap<Name, Notify>,
    /// How the death of peers is noticed besides their advertisements.
    pub detection: Detection,
    /// Sessions that the operator asked for by name.
    pub bfd_sessions: Vec<BfdSession>,
}

/// Whether and how the sources of advertisements are watched by BFD sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detection {
    /// Peers are tried and watched.
    pub on: bool,
    /// The time between two packets to a peer.
    pub interval: Duration,
    /// So many intervals of silence are a death.
    pub multiplier: u8,
    /// The most packets that all sessions together may send in a second; intervals grow to keep to it.
    pub packets_per_second_max: u32,
    /// Whether a peer that comes unevenly, or came up lately, is waited for longer.
    pub by_rhythm: bool,
    /// How nodes prove to each other who they are; the same on all of them.
    pub authentication: Option<Authentication>,
}

impl Default for Detection {
    fn default() -> Detection {
        Detection {
            on: true,
            interval: bfd::INTERVAL,
            multiplier: bfd::MULTIPLIER,
            packets_per_second_max: bfd::PACKETS_PER_SECOND_MAX,
            by_rhythm: true,
            authentication: None,
        }
    }
}

/// A session that the operator asked for by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BfdSession {
    /// What it is called.
    pub name: Name,
    /// The peer's address.
    pub remote: IpAddr,
    /// Our address; if none, one on the link of the peer's network.
    pub local: Option<IpAddr>,
    /// The link to the peer; if none, the one that has the address or the peer's network.
    pub link: Option<LinkName>,
    /// How it is held.
    pub session: SessionSettings,
}

/// What concerns the node as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// The node's name in messages; the host's name if none.
    pub name: Option<String>,
    /// As whom scripts run where nobody says otherwise; `None`: as `keepalived_script` if that user exists,
    /// else as the daemon itself.
    pub script_user: Option<String>,
    /// That user's group.
    pub script_group: Option<String>,
    /// Refuse to run scripts as root that others than root could have written.
    pub script_security: bool,
    /// The network namespace that everything happens in, by its name under `/run/netns`; taken in at the start
    /// alone.
    pub namespace: Option<String>,
    /// Scripts of another user get that user's further groups as well.
    pub supplementary_groups: bool,
    /// The bits that files which the daemon makes do not get; as it was started if none.
    pub umask: Option<u32>,
    /// A file that is there, and empty, while the configuration is read anew.
    pub reload_file: Option<PathBuf>,
    /// Where it is written when the configuration is to be read anew.
    pub reload_time: Option<ReloadTime>,
}

/// A file whose first line says when the configuration is to be read anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReloadTime {
    /// The file.
    pub path: PathBuf,
    /// A time without a date counts every day; else the file is removed once it was heeded.
    pub repeat: bool,
}

/// Programs that are told of changes, in keepalived's way: each specific one gets its own arguments; `any`
/// gets four appended: `INSTANCE|GROUP NAME MASTER|BACKUP|FAULT|STOP PRIORITY`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notify {
    /// It became Active.
    pub active: Option<Command>,
    /// It became Backup.
    pub backup: Option<Command>,
    /// It became unfit.
    pub fault: Option<Command>,
    /// It was stopped.
    pub stop: Option<Command>,
    /// Any of these.
    pub any: Option<Command>,
    /// While Active it heard a lower priority.
    pub lower_priority: Option<Command>,
    /// While Active it sees that another may hold its addresses as well, or sees it no more.
    pub two_holders: Option<Command>,
    /// It was taken out of the settings.
    pub deleted: Option<Command>,
    /// Say DELETED rather than FAULT when it was taken out of the settings.
    pub says_deleted: bool,
    /// Write changes of the priority to the FIFOs.
    pub priority_changes: bool,
    /// Send mail.
    pub mail: bool,
}
