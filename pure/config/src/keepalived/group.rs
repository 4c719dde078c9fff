//! `vrrp_sync_group` blocks, and notification as instances and groups write it.

use mainstay_engine::Notify;

use super::keywords::Block;
use super::script::{self, Tracked, tracked};
use super::telling::TellingDraft;
use super::tree::Statement;
use super::unknown::unhandled;
use super::values::{command_once, flag, name};
use super::watched;
use super::words::Word;
use crate::fault::Faults;

/// A sync group as written.
#[derive(Debug)]
pub(super) struct GroupDraft {
    pub name: Word,
    pub members: Vec<Word>,
    pub track_links: Vec<Tracked>,
    pub track_scripts: Vec<Tracked>,
    pub track_files: Vec<Tracked>,
    pub track_processes: Vec<Tracked>,
    pub track_sessions: Vec<Tracked>,
    pub member_weights: bool,
    pub notify: NotifyDraft,
}

/// Reads a `vrrp_sync_group` block; none if it has no name.
pub(super) fn read(
    block: &Statement,
    member_weights: bool,
    faults: &mut Faults,
) -> Option<GroupDraft> {
    let name = name(block, faults)?.clone();
    let mut group = GroupDraft {
        name,
        members: Vec::new(),
        track_links: Vec::new(),
        track_scripts: Vec::new(),
        track_files: Vec::new(),
        track_processes: Vec::new(),
        track_sessions: Vec::new(),
        member_weights,
        notify: NotifyDraft::default(),
    };
    for statement in block.inner() {
        match statement.keyword() {
            "group" => {
                let names = statement.inner().iter().flat_map(|line| &line.words);
                group.members.extend(names.cloned());
            }
            "track_interface" => {
                group.track_links.extend(tracked(statement, script::WEIGHTS, faults));
            }
            "track_script" => {
                group.track_scripts.extend(tracked(statement, script::WEIGHTS, faults));
            }
            "track_bfd" => {
                group.track_sessions.extend(tracked(statement, script::WEIGHTS, faults));
            }
            "track_file" => {
                group.track_files.extend(tracked(statement, watched::WEIGHTS, faults));
            }
            "track_process" => {
                group.track_processes.extend(tracked(statement, watched::WEIGHTS, faults));
            }
            "sync_group_tracking_weight" => {
                group.member_weights = flag(statement, faults).unwrap_or(true);
            }
            "notify_deleted" | "notify_master_rx_lower_pri" | "notify_two_holders" => {
                unhandled(Block::Group, statement, faults);
            }
            keyword => {
                if !group.notify.read(keyword, statement, faults) {
                    unhandled(Block::Group, statement, faults);
                }
            }
        }
    }
    Some(group)
}

/// Notification as written, with what is left to the node's defaults.
#[derive(Debug, Default)]
pub(super) struct NotifyDraft {
    notify: Notify,
    mail: Option<bool>,
    priority_changes: Option<bool>,
}

impl NotifyDraft {
    /// Reads one of the keywords of notification; whether it is one.
    pub(super) fn read(
        &mut self,
        keyword: &str,
        statement: &Statement,
        faults: &mut Faults,
    ) -> bool {
        let notify = &mut self.notify;
        let target = match keyword {
            "notify_master" => &mut notify.active,
            "notify_backup" => &mut notify.backup,
            "notify_fault" => &mut notify.fault,
            "notify_stop" => &mut notify.stop,
            "notify" => &mut notify.any,
            "notify_master_rx_lower_pri" => &mut notify.lower_priority,
            "notify_two_holders" => &mut notify.two_holders,
            "notify_deleted" => {
                notify.says_deleted = true;
                if statement.values().is_empty() {
                    return true;
                }
                &mut notify.deleted
            }
            "smtp_alert" => {
                self.mail = flag(statement, faults).or(self.mail);
                return true;
            }
            "notify_priority_changes" => {
                self.priority_changes = flag(statement, faults).or(self.priority_changes);
                return true;
            }
            _ => return false,
        };
        command_once(statement, target, faults);
        true
    }

    /// Takes from its group what it does not say itself.
    pub(super) fn inherit(&mut self, group: &NotifyDraft) {
        self.priority_changes = self.priority_changes.or(group.priority_changes);
    }

    /// What it comes to.
    pub(super) fn settle(self, telling: &TellingDraft) -> Notify {
        Notify {
            mail: self.mail.unwrap_or(telling.mails()),
            priority_changes: self.priority_changes.unwrap_or(telling.priority_changes),
            ..self.notify
        }
    }
}
