//! One mail about a change of state.

use crate::scripts::notify::Subject;

/// What a mail says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) subject: String,
    pub(super) body: String,
}

impl Letter {
    /// The mail about a router or a group that is in another state, with keepalived's subject. `node`
    /// is the name of the node.
    pub(super) fn of(node: &str, subject: &Subject, state: &str, priority: u8) -> Letter {
        let (kind, name) = match subject {
            Subject::Router(name) => ("Instance", name),
            Subject::Group(name) => ("Group", name),
        };
        let meaning = match state {
            "MASTER" => "It is Active: the virtual addresses are on this node.",
            "BACKUP" => "It is Backup: the virtual addresses are not on this node.",
            _ => "It is in Fault: something that it needs or tracks has failed.",
        };
        let priority = match subject {
            Subject::Router(_) => format!("\nIts effective priority is {priority}.\n"),
            Subject::Group(_) => String::new(),
        };
        Letter {
            subject: format!("[{node}] VRRP {kind} {name} - Entering {state} state"),
            body: format!("{meaning}\n{priority}\n`mainstay status` on {node} says why.\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::name;

    #[test]
    fn the_subject_is_keepaliveds() {
        let router = Letter::of("r1", &Subject::Router(name("VI_1")), "MASTER", 150);
        assert_eq!(router.subject, "[r1] VRRP Instance VI_1 - Entering MASTER state");
        assert!(router.body.contains("150"));
        let group = Letter::of("r1", &Subject::Group(name("G")), "FAULT", 0);
        assert_eq!(group.subject, "[r1] VRRP Group G - Entering FAULT state");
        assert!(!group.body.contains("priority"));
    }
}
