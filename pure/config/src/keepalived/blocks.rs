//! The blocks of a text, each read in its turn; what stands twice is left out.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use mainstay_engine::{WatchedFile, WatchedProcess};

use super::announcing;
use super::bfd::{self, BfdDraft};
use super::globals::Globals;
use super::group::{self, GroupDraft};
use super::instance::{self, InstanceDraft};
use super::keywords::Block;
use super::line::At;
use super::routing::StaticDraft;
use super::script::{self, ScriptDraft};
use super::tree::Statement;
use super::unknown::unhandled;
use super::watched::{self, WatchedDraft};
use crate::fault::Faults;
use crate::iproute::Names;
use crate::{Code, Fault, Sources};

/// What the blocks say, in their order.
#[derive(Default)]
pub(super) struct Drafts {
    pub globals: Globals,
    pub scripts: Vec<ScriptDraft>,
    pub files: Vec<WatchedDraft<WatchedFile>>,
    pub processes: Vec<WatchedDraft<WatchedProcess>>,
    pub sessions: Vec<BfdDraft>,
    pub groups: Vec<GroupDraft>,
    pub fixed: StaticDraft,
    pub instances: Vec<InstanceDraft>,
    /// Where each name stands.
    pub names: BTreeMap<(Block, String), At>,
}

/// Reads all blocks: `global_defs` first, wherever it stands, as keepalived 2.2.7 does; then the network namespace,
/// which names of routing domains depend on.
pub(super) fn read(
    statements: &[Statement],
    sources: &mut dyn Sources,
    faults: &mut Faults,
) -> Drafts {
    let mut drafts = Drafts::default();
    let of = |keyword| statements.iter().filter(move |statement| statement.keyword() == keyword);
    of("global_defs").for_each(|statement| drafts.globals.read(statement, faults));
    of("net_namespace").for_each(|statement| drafts.globals.read_namespace(statement, faults));
    let [own, packaged] = std::mem::take(&mut drafts.globals.names);
    let namespace = drafts.globals.node().namespace;
    let mut names = Names::in_folders(sources, own.as_deref(), packaged.as_deref())
        .inside(namespace.as_deref());
    let is_read = |word: &str| matches!(word, "global_defs" | "net_namespace");
    for statement in statements.iter().filter(|statement| !is_read(statement.keyword())) {
        drafts.read(statement, &mut names, faults);
    }
    drafts
}

impl Drafts {
    fn read(&mut self, statement: &Statement, names: &mut Names<'_>, faults: &mut Faults) {
        match statement.keyword() {
            "vrrp_script" => {
                if let Some(script) = script::read(statement, faults)
                    && self.is_new(Block::Script, script.settings.name.as_str(), script.at, faults)
                {
                    self.scripts.push(script);
                }
            }
            "track_file" | "vrrp_track_file" => {
                if let Some(file) = watched::file(statement, faults)
                    && self.is_new(Block::File, file.watched.name.as_str(), file.at, faults)
                {
                    self.files.push(file);
                }
            }
            "vrrp_track_process" => {
                if let Some(process) = watched::process(statement, faults)
                    && self.is_new(
                        Block::Process,
                        process.watched.name.as_str(),
                        process.at,
                        faults,
                    )
                {
                    self.processes.push(process);
                }
            }
            "interface_up_down_delays" => {
                watched::link_delays(statement, &mut self.globals.link_delays, faults);
            }
            "linkbeat_use_polling" => self.globals.polling.read_all(statement, faults),
            "linkbeat_interfaces" => self.globals.polling.read_links(statement, faults),
            "garp_group" => self.globals.pacing.extend(announcing::group(statement, faults)),
            "bfd_instance" => {
                if let Some(session) = bfd::read(statement, faults)
                    && self.is_new(Block::Bfd, session.session.name.as_str(), session.at, faults)
                    && self.peer_is_new(&session, faults)
                {
                    self.sessions.push(session);
                }
            }
            "vrrp_sync_group" => {
                let group = group::read(statement, self.globals.defaults.member_weights, faults);
                if let Some(group) = group
                    && self.is_new(Block::Group, &group.name.text, group.name.at, faults)
                {
                    self.groups.push(group);
                }
            }
            "vrrp_instance" => {
                if let Some(instance) = instance::read(statement, names, faults)
                    && self.is_new(Block::Instance, &instance.name.text, instance.name.at, faults)
                {
                    self.instances.push(instance);
                }
            }
            // Read with the text itself.
            "instance" | "include_check" => {}
            _ if self.fixed.read(statement, names, faults) => {}
            _ => unhandled(Block::Root, statement, faults),
        }
    }

    /// Whether there is no session between these two addresses yet, as keepalived wants it.
    fn peer_is_new(&self, draft: &BfdDraft, faults: &mut Faults) -> bool {
        let (remote, local) = (draft.session.remote, draft.session.local);
        let same =
            |other: &&BfdDraft| (other.session.remote, other.session.local) == (remote, local);
        let Some(first) = self.sessions.iter().find(same) else { return true };
        let message = format!(
            "there is a session with {remote} already; `{}` is left out",
            draft.session.name
        );
        let fault = Fault::error(Code::AddressTwice, message).here(draft.at, "and again here");
        let fault = fault.label(first.at.span, "first here");
        faults.add(fault.help("track the first one; any number of instances can"));
        false
    }

    /// Whether a name is not taken yet among things of its kind; if it is, that is a fault.
    fn is_new(&mut self, kind: Block, name: &str, at: At, faults: &mut Faults) -> bool {
        match self.names.entry((kind, name.to_owned())) {
            Entry::Vacant(free) => {
                free.insert(at);
                true
            }
            Entry::Occupied(first) => {
                let message = format!("`{name}` is defined twice; the second one is left out");
                let fault = Fault::error(Code::NameTwice, message).here(at, "and again here");
                let fault = fault.label(first.get().span, "first here");
                faults.add(fault.help("give one of them another name"));
                false
            }
        }
    }
}
