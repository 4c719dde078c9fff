//! `GET /v1/status` and `GET /v1/plan`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Detection, Lateness};

/// One node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The program's version.
    pub version: String,
    /// The node's name.
    pub node: String,
    /// The control process.
    pub pid: u32,
    /// When it started.
    pub started_at_ms: u64,
    /// The moment of this report.
    pub now_ms: u64,
    /// Where the settings came from.
    pub configuration: String,
    /// When they were last taken in, and the refusal of the last reload if it was refused.
    pub configured_at_ms: u64,
    /// Why the last reload was refused.
    pub reload_refused: Option<String>,
    /// Every virtual router, in the order of the configuration.
    pub routers: Vec<Router>,
    /// Every sync group.
    pub groups: Vec<Group>,
    /// Every tracked script.
    pub scripts: Vec<Script>,
    /// Packets that belong to no router here, by reason.
    pub rejects: BTreeMap<String, u64>,
    /// What the kernel refuses at the moment.
    pub refused: Vec<Refused>,
    /// The longest that a deadline was missed by, since the start.
    pub lateness_max_us: u64,
    /// How punctual this node is.
    #[serde(default)]
    pub lateness: Lateness,
    /// How it knows that its peers are alive.
    #[serde(default)]
    pub detection: Detection,
    /// The whole node is drained.
    #[serde(default)]
    pub drained: bool,
}

/// One virtual router.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Router {
    /// Its name.
    pub name: String,
    /// Its number on the link.
    pub vrid: u8,
    /// 2 or 3.
    pub version: u8,
    /// `ipv4` or `ipv6`.
    pub family: String,
    /// The link that it advertises on.
    pub link: String,
    /// Its sync group.
    pub group: Option<String>,
    /// Its state.
    pub state: State,
    /// Since when.
    pub since_ms: u64,
    /// Why, as a sentence.
    pub why: String,
    /// The configured priority.
    pub priority: u8,
    /// The priority after tracking.
    pub effective_priority: u8,
    /// Who is Active, as far as this node knows.
    pub active: Option<Active>,
    /// Its timers.
    pub timers: Timers,
    /// Everything that it tracks.
    pub tracked: Vec<Tracked>,
    /// Its virtual addresses.
    pub addresses: Vec<Address>,
    /// What it learnt of the peers that it heard.
    pub peers: Vec<LearntPeer>,
    /// Its counters.
    pub counters: Counters,
    /// The last transitions, newest first.
    pub transitions: Vec<Transition>,
    /// It counts as priority 1 until it is undrained.
    #[serde(default)]
    pub drained: bool,
    /// What speaks for a second holder of its addresses at this moment, each as a sentence.
    #[serde(default)]
    pub two_holders: Vec<String>,
}

/// Where a virtual router stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Not started, or stopped.
    Initialize,
    /// It waits.
    Backup,
    /// It holds the virtual addresses.
    Active,
    /// It is unfit.
    Fault,
}

/// Who is Active and how that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Active {
    /// Whether it is this node.
    pub ours: bool,
    /// The address that it advertises from.
    pub address: String,
    /// Its priority.
    pub priority: u8,
    /// How that is known: `we are`, `advertisements`, `watched`.
    pub known_by: String,
    /// Its death would be noticed after so long: by its session, or by missing advertisements.
    #[serde(default)]
    pub noticed_within_us: Option<u64>,
    /// How long ago it was last heard; none for ourselves.
    pub heard_ms_ago: Option<u64>,
}

/// A virtual router's timers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timers {
    /// From one advertisement to the next, as in force (learnt or own).
    pub advertisement_interval_ms: u64,
    /// Silence for so long makes the Active dead.
    pub active_down_interval_ms: u64,
    /// The part of it that is skew.
    pub skew_ms: u64,
    /// The skew where the death of the Active is known by its session; none: it is not watched.
    #[serde(default)]
    pub quick_skew_us: Option<u64>,
    /// What comes next: `active-down`, `advert` …
    pub next: Option<String>,
    /// In how long.
    pub next_in_ms: Option<u64>,
}

/// Something tracked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracked {
    /// `link`, `script`, `file`, `process` or `session`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// The number that it holds, if it holds one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<i32>,
    /// Its weight; 0: it makes the router unfit.
    pub weight: i16,
    /// Whether up and down are swapped.
    pub reverse: bool,
}

/// What is known of a tracked thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Good.
    Up,
    /// Bad.
    Down,
    /// Nothing yet.
    Unknown,
}

/// A virtual address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// With the prefix length.
    pub address: String,
    /// The link that it belongs on.
    pub link: String,
    /// Whether the kernel has it there.
    pub present: bool,
    /// Whether it is advertised (else it only moves along).
    pub advertised: bool,
}

/// A peer that was heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearntPeer {
    /// Its address.
    pub address: String,
    /// The priority that it said last.
    pub priority: u8,
    /// The interval that it said last.
    pub advertisement_interval_ms: u64,
    /// The form of its checksums: `v2`, `pseudo-header`, `message-only`, `group-pseudo-header`.
    pub checksum: String,
    /// How long ago it was heard.
    pub heard_ms_ago: u64,
}

/// Counts since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Advertisements used.
    pub adverts_received: u64,
    /// Advertisements sent.
    pub adverts_sent: u64,
    /// Times that it became Active.
    pub became_active: u64,
    /// Times that it ceased to be Active.
    pub released_active: u64,
    /// Farewells heard.
    pub farewells_received: u64,
    /// Farewells sent.
    pub farewells_sent: u64,
    /// Gratuitous ARPs and neighbour advertisements sent.
    pub announcements_sent: u64,
    /// Packets dropped, by reason.
    pub rejects: BTreeMap<String, u64>,
}

/// One change of state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// When.
    pub at_ms: u64,
    /// From.
    pub from: State,
    /// To.
    pub to: State,
    /// Why, as a sentence.
    pub why: String,
}

/// A sync group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: State,
    /// Its members.
    pub members: Vec<String>,
}

/// A tracked script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// Its name.
    pub name: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// So many results like the last, in a row.
    pub in_a_row: u32,
    /// What is run.
    pub command: String,
}

/// A step that the kernel refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The step: `add 192.0.2.1/24 on eth0`.
    pub step: String,
    /// The kernel's reason.
    pub reason: String,
    /// What to do about it.
    pub remedy: String,
    /// Tries so far.
    pub tries: u32,
}

/// `GET /v1/plan`: what would change in the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The steps, in order.
    pub steps: Vec<PlanStep>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanStep {
    /// `add` or `remove`.
    pub verb: String,
    /// What.
    pub object: String,
}
