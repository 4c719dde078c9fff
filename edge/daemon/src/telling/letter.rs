//! One mail about what came about.

use mainstay_engine::vrrp::StateName;

use crate::scripts::notify::{Subject, Tiding};

/// What a mail says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) subject: String,
    pub(super) body: String,
}

impl Letter {
    /// The mail about a router or a group, with keepalived's subject; none where keepalived sends none. `node`
    /// is the name of the node.
    pub(super) fn of(
        node: &str,
        subject: &Subject,
        tiding: Tiding,
        priority: u8,
    ) -> Option<Letter> {
        let (kind, name) = match subject {
            Subject::Router(name) => ("Instance", name),
            Subject::Group(name) => ("Group", name),
        };
        let word = tiding.word();
        let (what, meaning) = match tiding {
            Tiding::State(StateName::Active) => (
                format!("Entering {word} state"),
                "It is Active: the virtual addresses are on this node.",
            ),
            Tiding::State(StateName::Backup) => (
                format!("Entering {word} state"),
                "It is Backup: the virtual addresses are not on this node.",
            ),
            Tiding::State(StateName::Fault) => (
                format!("Entering {word} state"),
                "It is in Fault: something that it needs or tracks has failed.",
            ),
            Tiding::State(StateName::Initialize) => (
                "Stopping".to_owned(),
                "It is stopped: the virtual addresses are not on this node.",
            ),
            Tiding::Deleted { says_deleted: true } => ("Deleted".to_owned(), TAKEN_OUT),
            Tiding::Deleted { says_deleted: false } => {
                (format!("Entering {word} state"), TAKEN_OUT)
            }
            Tiding::LowerPriority => return None,
        };
        let priority = match subject {
            Subject::Router(_) => format!("\nIts effective priority is {priority}.\n"),
            Subject::Group(_) => String::new(),
        };
        Some(Letter {
            subject: format!("[{node}] VRRP {kind} {name} - {what}"),
            body: format!("{meaning}\n{priority}\n`mainstay status` on {node} says why.\n"),
        })
    }
}

const TAKEN_OUT: &str =
    "A reload took it out of the configuration: the virtual addresses are not on this node.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::name;

    #[test]
    fn the_subject_is_keepaliveds() {
        let of = |subject: &Subject, tiding| Letter::of("r1", subject, tiding, 150);
        let router = Subject::Router(name("VI_1"));
        let letter = of(&router, Tiding::State(StateName::Active)).expect("it is told");
        assert_eq!(letter.subject, "[r1] VRRP Instance VI_1 - Entering MASTER state");
        assert!(letter.body.contains("150"));
        let group = Subject::Group(name("G"));
        let letter = of(&group, Tiding::State(StateName::Fault)).expect("it is told");
        assert_eq!(letter.subject, "[r1] VRRP Group G - Entering FAULT state");
        assert!(!letter.body.contains("priority"));
        let ends = |subject, tiding| of(subject, tiding).map(|letter| letter.subject);
        for (subject, tiding, expected) in [
            (&router, Tiding::State(StateName::Initialize), "[r1] VRRP Instance VI_1 - Stopping"),
            (&group, Tiding::State(StateName::Initialize), "[r1] VRRP Group G - Stopping"),
            (&router, Tiding::Deleted { says_deleted: true }, "[r1] VRRP Instance VI_1 - Deleted"),
            (
                &router,
                Tiding::Deleted { says_deleted: false },
                "[r1] VRRP Instance VI_1 - Entering FAULT state",
            ),
        ] {
            assert_eq!(ends(subject, tiding).as_deref(), Some(expected));
        }
        assert_eq!(of(&router, Tiding::LowerPriority), None);
    }
}
