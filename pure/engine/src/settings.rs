//! What the operator asked for of the whole node.

use std::collections::BTreeMap;

use mainstay_vrrp::{self as vrrp, Command, Name};

/// Everything that a configuration says, already checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// What concerns the node as a whole.
    pub node: Node,
    /// Virtual routers, sync groups, tracked scripts.
    pub vrrp: vrrp::Settings,
    /// Whom to tell about a router.
    pub notify_routers: BTreeMap<Name, Notify>,
    /// Whom to tell about a sync group.
    pub notify_groups: BTreeMap<Name, Notify>,
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
}
