//! `global_defs`: what concerns the node, and the defaults of all instances.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use mainstay_base::{Family, LinkName};
use mainstay_engine::vrrp::{Hearing, LinkDelay, Pacing, Version, usual_group};
use mainstay_engine::{Node, ReloadTime};

use super::announcing::Announcing;
use super::keywords::Block;
use super::polling::Polling;
use super::telling::TellingDraft;
use super::tree::Statement;
use super::umask;
use super::unknown::unhandled;
use super::values::{always_on, flag, ip, no_more, number, seconds, value};
use super::watched;
use crate::fault::Faults;
use crate::{Code, Fault, namespaces};

/// Where `reload_file` is if it has no name.
const RELOAD_FILE: &str = "/run/keepalived.reload";

/// What `global_defs` says; of two equal keywords the later one counts.
#[derive(Debug)]
pub(super) struct Globals {
    pub node: Node,
    pub startup_delay: Duration,
    pub delay_after_boot: Duration,
    /// `reload_time_file`.
    reload_time: Option<PathBuf>,
    reload_repeat: bool,
    /// `garp_group` blocks.
    pub pacing: Vec<Pacing>,
    pub default_link: String,
    /// `iproute_etc_dir` and `iproute_usr_dir`.
    pub names: [Option<String>; 2],
    pub link_delays: BTreeMap<LinkName, LinkDelay>,
    pub polling: Polling,
    /// `vmac_prefix`.
    pub virtual_prefix: Option<String>,
    /// `vmac_addr_prefix`.
    pub virtual_prefix_of_addresses: Option<String>,
    pub telling: TellingDraft,
    pub defaults: Defaults,
}

/// Defaults of all instances, wherever `global_defs` stands: keepalived 2.2.7 reads it first.
#[derive(Debug)]
pub(super) struct Defaults {
    pub version: Option<Version>,
    pub group_v4: IpAddr,
    pub group_v6: IpAddr,
    pub announce: Announcing,
    pub strict: bool,
    pub hearing: Hearing,
    /// An empty list of peers makes unfit rather than multicast.
    pub peers_required: bool,
    pub down_intervals: u8,
    pub member_weights: bool,
}

impl Default for Globals {
    fn default() -> Globals {
        Globals {
            node: Node { umask: Some(umask::USUAL), ..Node::default() },
            startup_delay: Duration::ZERO,
            delay_after_boot: Duration::ZERO,
            reload_time: None,
            reload_repeat: false,
            pacing: Vec::new(),
            default_link: "eth0".to_owned(),
            names: [None, None],
            link_delays: BTreeMap::new(),
            polling: Polling::default(),
            virtual_prefix: None,
            virtual_prefix_of_addresses: None,
            telling: TellingDraft::default(),
            defaults: Defaults {
                version: None,
                group_v4: usual_group(Family::V4),
                group_v6: usual_group(Family::V6),
                announce: Announcing::default(),
                strict: false,
                hearing: Hearing::default(),
                peers_required: false,
                down_intervals: 3,
                member_weights: false,
            },
        }
    }
}

impl Globals {
    /// Takes a `global_defs` block in.
    pub(super) fn read(&mut self, block: &Statement, faults: &mut Faults) {
        for statement in block.inner() {
            let keyword = statement.keyword();
            let short = keyword.strip_prefix("vrrp_").unwrap_or("");
            let taken = self.defaults.announce.read(short, statement, faults)
                || self.defaults.read(keyword, statement, faults)
                || self.telling.read(keyword, statement, faults)
                || self.read_node(keyword, statement, faults);
            if !taken {
                unhandled(Block::Global, statement, faults);
            }
        }
    }

    /// The network namespace to run in.
    pub(super) fn read_namespace(&mut self, statement: &Statement, faults: &mut Faults) {
        let Some(word) = value(statement, faults) else { return };
        no_more(statement, 1, faults);
        match namespaces::odd_name(&word.text) {
            None => self.node.namespace = Some(word.text.clone()),
            Some(message) => {
                let fault = Fault::error(Code::ValueBad, message).here(word.at, "");
                faults.add(fault.help(namespaces::REMEDY));
            }
        }
    }

    /// What concerns the node, all of it.
    pub(super) fn node(&self) -> Node {
        let (path, repeat) = (self.reload_time.clone(), self.reload_repeat);
        let reload_time = path.map(|path| ReloadTime { path, repeat });
        Node { reload_time, ..self.node.clone() }
    }

    fn read_node(&mut self, keyword: &str, statement: &Statement, faults: &mut Faults) -> bool {
        match keyword {
            "router_id" => {
                self.node.name = value(statement, faults).map(|word| word.text.clone());
                no_more(statement, 1, faults);
            }
            "script_user" => {
                self.node.script_user = value(statement, faults).map(|word| word.text.clone());
                self.node.script_group = statement.values().get(1).map(|word| word.text.clone());
                no_more(statement, 2, faults);
            }
            "umask" => self.node.umask = umask::read(statement, faults).or(self.node.umask),
            "set_supplementary_groups" => {
                self.node.supplementary_groups = flag(statement, faults).unwrap_or(true);
            }
            "reload_time_file" => {
                self.reload_time = value(statement, faults).map(|word| word.text.as_str().into());
                no_more(statement, 1, faults);
            }
            "reload_repeat" => self.reload_repeat = flag(statement, faults).unwrap_or(true),
            "reload_file" => {
                no_more(statement, 1, faults);
                let named = statement.values().first().map(|word| word.text.as_str());
                self.node.reload_file = Some(named.unwrap_or(RELOAD_FILE).into());
            }
            "enable_script_security" => {
                self.node.script_security = always_on(statement, faults);
            }
            "vrrp_startup_delay" => {
                let delay = seconds(statement, 0..=1_000_000_000_000, faults);
                self.startup_delay = delay.unwrap_or(self.startup_delay);
            }
            "vrrp_delay_after_boot" => {
                let delay = seconds(statement, 0..=1_000_000_000_000, faults);
                self.delay_after_boot = delay.unwrap_or(self.delay_after_boot);
            }
            "default_interface" => {
                if let Some(word) = value(statement, faults) {
                    self.default_link = word.text.clone();
                }
            }
            "iproute_etc_dir" => self.names[0] = folder(statement, faults),
            "iproute_usr_dir" => self.names[1] = folder(statement, faults),
            "interface_up_down_delays" => {
                watched::link_delays(statement, &mut self.link_delays, faults);
            }
            "net_namespace" => self.read_namespace(statement, faults),
            // Links may come and go and change at any time, whatever it says.
            "dynamic_interfaces" => no_more(statement, 1, faults),
            "vmac_prefix" => {
                self.virtual_prefix = value(statement, faults).map(|word| word.text.clone());
            }
            "vmac_addr_prefix" => {
                let prefix = value(statement, faults).map(|word| word.text.clone());
                self.virtual_prefix_of_addresses = prefix;
            }
            // Read with the text itself.
            "instance" | "include_check" => {}
            _ => return false,
        }
        true
    }
}

impl Defaults {
    fn read(&mut self, keyword: &str, statement: &Statement, faults: &mut Faults) -> bool {
        let mut set = |target: &mut bool| *target = flag(statement, faults).unwrap_or(*target);
        match keyword {
            "vrrp_strict" => self.strict = always_on(statement, faults),
            "vrrp_skip_check_adv_addr" => {
                self.hearing.skip_address_check = always_on(statement, faults);
            }
            "vrrp_check_unicast_src" => {
                self.hearing.check_unicast_source = always_on(statement, faults);
            }
            "vrrp_lower_prio_no_advert" => set(&mut self.hearing.ignore_lower_priority),
            "vrrp_higher_prio_send_advert" => set(&mut self.hearing.answer_higher_priority),
            "vrrp_owner_ignore_adverts" => set(&mut self.hearing.owner_ignores),
            "vrrp_unicast_fault_no_peer" => set(&mut self.peers_required),
            "vrrp_min_garp" => set(&mut self.announce.least),
            "sync_group_tracking_weight" => set(&mut self.member_weights),
            "vrrp_version" => self.version = version(statement, faults).or(self.version),
            "vrrp_down_timer_adverts" => {
                self.down_intervals =
                    down_intervals(statement, faults).unwrap_or(self.down_intervals);
            }
            "vrrp_mcast_group4" => {
                self.group_v4 = group(statement, false, faults).unwrap_or(self.group_v4);
            }
            "vrrp_mcast_group6" => {
                self.group_v6 = group(statement, true, faults).unwrap_or(self.group_v6);
            }
            _ => return false,
        }
        true
    }
}

/// `version 2|3`.
pub(super) fn version(statement: &Statement, faults: &mut Faults) -> Option<Version> {
    match number(statement, 2..=3, faults)? {
        2 => Some(Version::V2),
        _ => Some(Version::V3),
    }
}

/// `down_timer_adverts 1…100`.
pub(super) fn down_intervals(statement: &Statement, faults: &mut Faults) -> Option<u8> {
    number(statement, 1..=100, faults).map(|n| u8::try_from(n).expect("the range was checked"))
}

/// A multicast group of a family.
pub(super) fn group(statement: &Statement, v6: bool, faults: &mut Faults) -> Option<IpAddr> {
    let word = value(statement, faults)?;
    no_more(statement, 1, faults);
    let address = ip(statement.keyword(), word, faults)?;
    if !address.is_multicast() || address.is_ipv6() != v6 {
        let family = if v6 { "IPv6" } else { "IPv4" };
        let message = format!("`{}` takes an {family} multicast address", statement.keyword());
        faults.add(
            Fault::error(Code::ValueBad, message)
                .here(word.at, "")
                .help("write a group such as `224.0.0.18` or `ff02::12`"),
        );
        return None;
    }
    Some(address)
}

/// The name of a folder, without a slash at its end.
fn folder(statement: &Statement, faults: &mut Faults) -> Option<String> {
    no_more(statement, 1, faults);
    value(statement, faults).map(|word| word.text.trim_end_matches('/').to_owned())
}
