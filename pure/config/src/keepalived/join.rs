//! Drafts to the settings of the node, with the checks between blocks.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::IpAddr;

use mainstay_base::{Family, LinkName};
use mainstay_engine::vrrp::{
    Gauge, GaugeKind, GroupSettings, Name, RouterSettings, StartAs, TrackedGauge, Vrid, Weight,
};
use mainstay_engine::{Notify, Settings, WatchedFile, WatchedProcess};
use mainstay_plan::AddressKey;

use super::bfd::{self, BfdDraft};
use super::blocks::Drafts;
use super::complete::{complete, track_gauges, track_links, track_scripts};
use super::globals::Globals;
use super::group::GroupDraft;
use super::instance::InstanceDraft;
use super::keywords::Block;
use super::line::At;
use super::script::Tracked;
use super::vmac::VirtualNames;
use super::watched::WatchedDraft;
use crate::fault::Faults;
use crate::{Code, Fault};

/// The settings that drafts come to.
pub(super) fn settings(drafts: Drafts, faults: &mut Faults) -> Settings {
    let Drafts {
        mut globals,
        scripts,
        sessions,
        files,
        processes,
        groups,
        fixed,
        instances,
        names,
    } = drafts;
    let mut joining = Joining {
        settings: Settings { node: globals.node(), ..Settings::default() },
        names,
        numbers: BTreeMap::new(),
        addresses: BTreeMap::new(),
        members: BTreeMap::new(),
        sessions,
        standing: BTreeMap::new(),
        virtual_names: VirtualNames::beginning(
            globals.virtual_prefix.as_deref(),
            globals.virtual_prefix_of_addresses.as_deref(),
        ),
        faults,
    };
    joining.settings.vrrp.startup_delay = globals.startup_delay;
    joining.settings.vrrp.delay_after_boot = globals.delay_after_boot;
    joining.settings.vrrp.pacing.clone_from(&globals.pacing);
    joining.settings.vrrp.link_delays.clone_from(&globals.link_delays);
    let mut polling = std::mem::take(&mut globals.polling);
    for mut draft in instances {
        let is_member =
            |group: &&GroupDraft| group.members.iter().any(|member| member.text == draft.name.text);
        if let Some(group) = groups.iter().find(is_member) {
            draft.notify.inherit(&group.notify);
        }
        polling
            .own_links
            .extend(draft.tracking.polls_own_link.then(|| Name::new(&draft.name.text)));
        let tracked = fixed.tracked_by(&draft.name.text);
        let before = joining.settings.vrrp.routers.len();
        joining.router(draft, &globals);
        for router in &mut joining.settings.vrrp.routers[before..] {
            router.track_links.extend(tracked.clone());
        }
    }
    let priorities = &mut joining.virtual_names.priorities;
    joining.settings.vrrp.fixed = fixed.finish(&globals.default_link, priorities, joining.faults);
    let own_addresses = std::mem::take(&mut joining.virtual_names.own_addresses);
    joining.settings.vrrp.fixed.addresses.extend(own_addresses);
    for draft in groups {
        joining.group(draft, &globals);
    }
    let mut settings = joining.settings;
    settings.polled_links = polling.settle(&settings.vrrp);
    let mut notified = settings.notify_routers.values().chain(settings.notify_groups.values());
    let mails = notified.any(|notify| notify.mail);
    settings.telling = globals.telling.settle(mails, joining.faults);
    settings.telling.dumps.with_instance = globals.telling.use_instance.then(String::new);
    settings.vrrp.scripts = scripts.into_iter().map(|script| script.settings).collect();
    gauges(&mut settings, files, processes, joining.sessions);
    settings
}

/// What outside readings and sessions say where they are tracked.
fn gauges(
    settings: &mut Settings,
    files: Vec<WatchedDraft<WatchedFile>>,
    processes: Vec<WatchedDraft<WatchedProcess>>,
    sessions: Vec<BfdDraft>,
) {
    let gauge = |kind, name: &Name, weight: Weight| {
        let gauge = Gauge { kind, name: name.clone() };
        TrackedGauge { gauge, weight }
    };
    for file in files {
        let gauge = gauge(GaugeKind::File, &file.watched.name, file.weight);
        settings.vrrp.gauges.push(gauge);
        settings.files.push(file.watched);
    }
    for process in processes {
        let gauge = gauge(GaugeKind::Process, &process.watched.name, process.weight);
        settings.vrrp.gauges.push(gauge);
        settings.processes.push(process.watched);
    }
    for session in sessions {
        let gauge = gauge(GaugeKind::Session, &session.session.name, session.weight);
        settings.vrrp.gauges.push(gauge);
        settings.bfd_sessions.push(session.session);
    }
}

struct Joining<'f> {
    settings: Settings,
    /// Where each name stands.
    names: BTreeMap<(Block, String), At>,
    /// Where each number of a link stands.
    numbers: BTreeMap<(LinkName, Family, Vrid), At>,
    /// Which router has an address.
    addresses: BTreeMap<AddressKey, Name>,
    /// Where each member of a group stands.
    members: BTreeMap<String, At>,
    sessions: Vec<BfdDraft>,
    /// The routers that were taken, each with the place of a weight that it tracks, if any.
    standing: BTreeMap<String, Option<At>>,
    virtual_names: VirtualNames,
    faults: &'f mut Faults,
}

impl Joining<'_> {
    fn router(&mut self, mut draft: InstanceDraft, globals: &Globals) {
        let user = Some(draft.name.at);
        once("link", &mut draft.tracking.links, self.faults);
        self.keep_known(Block::Script, &mut draft.tracking.scripts, user);
        self.keep_known(Block::File, &mut draft.tracking.files, user);
        self.keep_known(Block::Process, &mut draft.tracking.processes, user);
        self.keep_known(Block::Bfd, &mut draft.tracking.sessions, user);
        let Some(router) = complete(&mut draft, globals, &mut self.virtual_names, self.faults)
        else {
            return;
        };
        let peers: Vec<IpAddr> = draft.sending.peers.iter().map(|(peer, _)| peer.address).collect();
        bfd::surprise(&draft.tracking.sessions, &self.sessions, &peers, self.faults);
        if !self.number_is_new(&router, &draft) {
            return;
        }
        self.addresses_elsewhere(&router, &draft);
        let tracking = &draft.tracking;
        let mut tracked = tracking.links.iter().chain(&tracking.scripts);
        let weighted =
            tracked.find(|tracked| tracked.weight.is_some_and(|weight| weight.value != 0));
        let weighted = weighted.map(|tracked| tracked.name.at);
        if let (true, Some(at)) = (router.priority.is_owner(), weighted) {
            let message =
                format!("{} is the address owner; weights have no effect on it", draft.spoken());
            let fault = Fault::warning(Code::WeightsOwner, message).here(at, "");
            self.faults.add(fault.help("give it a priority below 255, or take the weight out"));
        }
        self.standing.insert(draft.name.text, weighted);
        let notify = draft.notify.settle(&globals.telling);
        if notify != Notify::default() {
            self.settings.notify_routers.insert(router.name.clone(), notify);
        }
        self.settings.vrrp.routers.push(router);
    }

    /// Keeps the tracked things that exist, each once; keepalived wants them before their user.
    fn keep_known(&mut self, kind: Block, tracked: &mut Vec<Tracked>, user: Option<At>) {
        let (what, keyword) = match kind {
            Block::File => ("file", "track_file"),
            Block::Process => ("process", "vrrp_track_process"),
            Block::Bfd => ("session", "bfd_instance"),
            Block::Root
            | Block::Global
            | Block::Instance
            | Block::Authentication
            | Block::Hmac
            | Block::Pacing
            | Block::Group
            | Block::Script
            | Block::Other => ("script", "vrrp_script"),
        };
        once(what, tracked, self.faults);
        tracked.retain(|tracked| {
            let name = &tracked.name;
            let text = &name.text;
            let found = self.names.get(&(kind, text.clone()));
            match (found, user) {
                (None, _) => {
                    let message = format!("there is no {what} `{text}`; it is not tracked");
                    let fault = Fault::error(Code::NameUnknown, message).here(name.at, "");
                    self.faults.add(fault.help(format!("add `{keyword} {text} {{ … }}`")));
                }
                (Some(script), Some(user)) if later(*script, user) => {
                    let message =
                        format!("{what} `{text}` is defined later; keepalived would not track it");
                    let fault = Fault::warning(Code::OrderLate, message).here(name.at, "");
                    let fault = fault.label(script.span, "defined here");
                    self.faults.add(fault.help(format!(
                        "move the {what} before the instance, for keepalived's sake"
                    )));
                }
                (Some(_), _) => {}
            }
            found.is_some()
        });
    }

    /// Whether no other router has the same number where they would hear each other.
    fn number_is_new(&mut self, router: &RouterSettings, draft: &InstanceDraft) -> bool {
        let at = draft.vrid.map_or(draft.name.at, |(_, at)| at);
        let key = (router.link.clone(), router.family, router.vrid);
        let first = match self.numbers.entry(key) {
            Entry::Vacant(free) => {
                free.insert(at);
                return true;
            }
            Entry::Occupied(first) => *first.get(),
        };
        let message = format!(
            "virtual router {} is declared twice on {} for {}; `{}` is left out",
            router.vrid, router.link, router.family, router.name
        );
        let fault = Fault::error(Code::VridTwice, message).here(at, "and again here");
        let help = "give one of them another `virtual_router_id`, or join their addresses";
        self.faults.add(fault.label(first.span, "first here").help(help));
        false
    }

    /// An address that two routers have is taken away by the one that ceases to be Active.
    fn addresses_elsewhere(&mut self, router: &RouterSettings, draft: &InstanceDraft) {
        for address in router.addresses.iter().chain(&router.excluded) {
            let Some(other) = self.addresses.insert(address.key.clone(), router.name.clone())
            else {
                continue;
            };
            let message = format!(
                "`{other}` and `{}` both have {}; the one that leaves takes it from the other",
                router.name, address.key
            );
            let fault = Fault::warning(Code::AddressTwice, message).here(draft.name.at, "");
            self.faults.add(fault.help("give the address to one of them"));
        }
    }

    fn group(&mut self, mut draft: GroupDraft, globals: &Globals) {
        once("link", &mut draft.track_links, self.faults);
        self.keep_known(Block::Script, &mut draft.track_scripts, None);
        self.keep_known(Block::File, &mut draft.track_files, None);
        self.keep_known(Block::Process, &mut draft.track_processes, None);
        self.keep_known(Block::Bfd, &mut draft.track_sessions, None);
        bfd::surprise(&draft.track_sessions, &self.sessions, &[], self.faults);
        let mut members = Vec::new();
        for word in &draft.members {
            if self.member(&word.text, word.at, &draft) {
                members.push(Name::new(&word.text));
            }
        }
        if self.lacks_a_member(&draft) {
            self.leave_out(&members);
            return;
        }
        if members.len() < 2 {
            let (what, kind) = match members.len() {
                0 => ("no members and is left out", Fault::error as fn(Code, String) -> Fault),
                _ => ("one member only", Fault::warning as fn(Code, String) -> Fault),
            };
            let message = format!("group `{}` has {what}", draft.name.text);
            let fault = kind(Code::GroupSmall, message).here(draft.name.at, "");
            let help = "name the instances that shall move together in `group { … }`";
            self.faults.add(fault.help(help));
        }
        if members.is_empty() {
            return;
        }
        self.start_together(&members);
        let name = Name::new(&draft.name.text);
        // A group has no priority: what it says of that is for its members.
        let notify = draft.notify.settle(&globals.telling);
        let notify = Notify { priority_changes: false, ..notify };
        if notify != Notify::default() {
            self.settings.notify_groups.insert(name.clone(), notify);
        }
        self.settings.vrrp.groups.push(GroupSettings {
            name,
            members,
            track_links: track_links(&draft.track_links, None, self.faults),
            track_scripts: track_scripts(&draft.track_scripts),
            track_gauges: track_gauges([
                (GaugeKind::File, &draft.track_files),
                (GaugeKind::Process, &draft.track_processes),
                (GaugeKind::Session, &draft.track_sessions),
            ]),
            member_weights: draft.member_weights,
        });
    }

    /// Unless all members are address owners that start as Active, all start as Backup.
    fn start_together(&mut self, members: &[Name]) {
        let routers = &mut self.settings.vrrp.routers;
        let active = |router: &RouterSettings| {
            router.priority.is_owner() && router.start_as == StartAs::Active
        };
        let in_group = |router: &&RouterSettings| members.contains(&router.name);
        if routers.iter().filter(in_group).all(active) {
            return;
        }
        for router in routers.iter_mut().filter(|router| members.contains(&router.name)) {
            router.start_as = StartAs::Backup;
        }
    }

    /// Whether a member cannot stand as it is written. The others would take half of what belongs together from a
    /// peer that is whole.
    fn lacks_a_member(&mut self, draft: &GroupDraft) -> bool {
        let is_missing = |name: &str| self.is_written(name) && !self.standing.contains_key(name);
        let Some(word) = draft.members.iter().find(|word| is_missing(&word.text)) else {
            return false;
        };
        let message = format!(
            "`{}` was left out, so group `{}` is left out with all its members",
            word.text, draft.name.text
        );
        let fault = Fault::error(Code::GroupTorn, message).here(word.at, "");
        let help = "mend what is said of it, or take it out of the group";
        self.faults.add(fault.help(help));
        true
    }

    fn is_written(&self, name: &str) -> bool {
        self.names.contains_key(&(Block::Instance, name.to_owned()))
    }

    /// Takes routers back, with what stands for them elsewhere.
    fn leave_out(&mut self, members: &[Name]) {
        let vrrp = &mut self.settings.vrrp;
        let (gone, left) = std::mem::take(&mut vrrp.routers)
            .into_iter()
            .partition(|router| members.contains(&router.name));
        vrrp.routers = left;
        let gone: Vec<RouterSettings> = gone;
        for router in gone {
            self.standing.remove(router.name.as_str());
            self.settings.notify_routers.remove(&router.name);
            let links = &router.kernel.virtual_links.made;
            let fixed = &mut self.settings.vrrp.fixed.addresses;
            fixed.retain(|address| !links.contains_key(&address.key.link));
        }
    }

    /// Whether a named member can join a group.
    fn member(&mut self, name: &str, at: At, draft: &GroupDraft) -> bool {
        let Some(weighted) = self.standing.get(name) else {
            if self.is_written(name) {
                return false;
            }
            let message = format!(
                "`{name}` of group `{}` does not exist; the group goes without it",
                draft.name.text
            );
            let fault = Fault::error(Code::NameUnknown, message).here(at, "");
            self.faults.add(fault.help("name a `vrrp_instance` that stands"));
            return false;
        };
        if let Some(first) = self.members.get(name) {
            let message = format!("`{name}` is in a group already; it stays in the first one");
            let fault = Fault::error(Code::GroupTwice, message).here(at, "and again here");
            let fault = fault.label(first.span, "first here");
            self.faults.add(fault.help("remove it from one of them"));
            return false;
        }
        if let (Some(weighted), false) = (weighted, draft.member_weights) {
            let message =
                format!("`{name}` is in group `{}`, so this weight has no effect", draft.name.text);
            let fault = Fault::warning(Code::GroupWeights, message).here(*weighted, "");
            let help = "track it in the group, or write `sync_group_tracking_weight` there";
            self.faults.add(fault.help(help));
        }
        self.members.insert(name.to_owned(), at);
        true
    }
}

/// Keeps the first of those that are tracked twice.
fn once(what: &str, tracked: &mut Vec<Tracked>, faults: &mut Faults) {
    let mut seen: BTreeMap<String, At> = BTreeMap::new();
    tracked.retain(|Tracked { name, .. }| match seen.entry(name.text.clone()) {
        Entry::Vacant(free) => {
            free.insert(name.at);
            true
        }
        Entry::Occupied(first) => {
            let message = format!("{what} `{}` is tracked twice; the first one counts", name.text);
            let fault = Fault::warning(Code::NameTwice, message).here(name.at, "");
            faults.add(fault.label(first.get().span, "first here").help("remove one of them"));
            false
        }
    });
}

/// Whether a definition stands after its user, as far as one file tells.
fn later(definition: At, user: At) -> bool {
    definition.span.file == user.span.file && definition.span.start > user.span.start
}
