//! Settings as text that reads back as the same settings.

mod detection;
mod hmac;
mod telling;
mod watched;

use std::fmt::Write;

use mainstay_base::{Family, LinkName};
use mainstay_engine::vrrp::{
    Announce, ChecksumForm, Command, Fixed, GroupSettings, Name, Peers, Preempt, RouterSettings,
    Routing, StartAs, TrackLink, TrackScript, TrackedScript, Version, VirtualAddress, Weight,
    usual_group,
};
use mainstay_engine::{Notify, Settings};
use mainstay_plan::{AddressOptions, Lifetime, Scope, VirtualKind};

use super::routing::route_text;
use super::times;
use crate::limits::usual_lifetime;
use crate::virtual_links::{SIBLINGS, hardware_address};

/// Writes settings as TOML. What has its default is left out.
pub fn write(settings: &Settings) -> String {
    let mut out = Text("version = 1\n".to_owned());
    out.node(settings);
    out.fixed(&settings.vrrp.fixed);
    out.detection(&settings.detection);
    out.sessions(settings);
    for script in &settings.vrrp.scripts {
        out.script(script);
    }
    out.telling(&settings.telling);
    out.watched(settings);
    for router in &settings.vrrp.routers {
        out.router(router);
        out.notify("virtual_router", settings.notify_routers.get(&router.name));
    }
    for group in &settings.vrrp.groups {
        out.group(group);
        out.notify("sync_group", settings.notify_groups.get(&group.name));
    }
    out.0
}

struct Text(String);

impl Text {
    fn heading(&mut self, heading: &str) {
        self.line(&format!("\n{heading}"));
    }

    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn key(&mut self, key: &str, value: impl AsRef<str>) {
        self.line(&format!("{key} = {}", value.as_ref()));
    }

    fn text(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.key(key, quoted(value));
        }
    }

    /// Writes a value unless it is the default.
    fn unless<T: PartialEq>(&mut self, key: &str, value: T, usual: T, show: impl Fn(T) -> String) {
        if value != usual {
            self.key(key, show(value));
        }
    }

    fn flag(&mut self, key: &str, value: bool, usual: bool) {
        self.unless(key, value, usual, |value| value.to_string());
    }

    fn node(&mut self, settings: &Settings) {
        let node = &settings.node;
        let vrrp = &settings.vrrp;
        let waits = !(vrrp.startup_delay.is_zero() && vrrp.delay_after_boot.is_zero());
        if *node == mainstay_engine::Node::default() && !waits {
            return;
        }
        self.heading("[node]");
        self.text("name", node.name.as_deref());
        self.text("script_user", node.script_user.as_deref());
        self.text("script_group", node.script_group.as_deref());
        self.flag("script_security", node.script_security, false);
        self.text("network_namespace", node.namespace.as_deref());
        self.flag("supplementary_groups", node.supplementary_groups, false);
        if let Some(mask) = node.umask {
            self.key("umask", quoted(&format!("{mask:04o}")));
        }
        let reload_file = node.reload_file.as_ref().map(|path| path.to_string_lossy());
        self.text("reload_file", reload_file.as_deref());
        if let Some(reload) = &node.reload_time {
            self.text("reload_time_file", Some(&reload.path.to_string_lossy()));
            self.flag("reload_repeat", reload.repeat, false);
        }
        let none = std::time::Duration::ZERO;
        self.unless("startup_delay", vrrp.startup_delay, none, time);
        self.unless("delay_after_boot", vrrp.delay_after_boot, none, time);
    }

    fn script(&mut self, script: &TrackedScript) {
        self.heading("[[script]]");
        self.text("name", Some(script.name.as_str()));
        self.key("command", words(&script.command));
        self.text("user", script.command.user.as_deref());
        self.text("group", script.command.group.as_deref());
        self.key("interval", time(script.interval));
        self.unless("timeout", script.timeout, script.interval, time);
        self.unless("weight", script.weight.value, 0, |value| value.to_string());
        self.flag("reverse", script.weight.reverse, false);
        self.unless("rise", script.rise, 1, |rise| rise.to_string());
        self.unless("fall", script.fall, 1, |fall| fall.to_string());
        self.flag("starts_failed", script.starts_failed, false);
    }

    fn router(&mut self, router: &RouterSettings) {
        self.heading("[[virtual_router]]");
        self.text("name", Some(router.name.as_str()));
        self.key("vrid", router.vrid.to_string());
        self.text("link", Some(router.link.as_str()));
        self.key(
            "version",
            match router.version {
                Version::V2 => "2",
                Version::V3 => "3",
            },
        );
        self.key(
            "family",
            match router.family {
                Family::V4 => "\"ipv4\"",
                Family::V6 => "\"ipv6\"",
            },
        );
        self.key("priority", router.priority.to_string());
        let usual = if router.priority.is_owner() { StartAs::Active } else { StartAs::Backup };
        self.unless("start_as", router.start_as, usual, |start_as| match start_as {
            StartAs::Active => quoted("active"),
            StartAs::Backup => quoted("backup"),
        });
        self.key("advertisement_interval", time(router.advertisement_interval.duration()));
        self.unless("down_intervals", router.down_intervals, 3, |count| count.to_string());
        self.router_authentication(router);
        self.key("addresses", addresses(&router.addresses, &router.link));
        if !router.excluded.is_empty() {
            self.key("excluded", addresses(&router.excluded, &router.link));
        }
        self.virtual_links(router);
        self.routing(&router.kernel.routing);
        self.peers(router);
        self.text("source", router.source.map(|source| source.to_string()).as_deref());
        match router.preempt {
            Preempt::Never => self.key("preempt", "false"),
            Preempt::After(delay) => {
                self.unless("preempt_delay", delay, std::time::Duration::ZERO, time)
            }
        }
        self.router_flags(router);
        self.tracked(&router.track_links, &router.track_scripts);
        self.track_gauges(&router.track_gauges);
        self.announce(router.announce);
    }

    fn router_flags(&mut self, router: &RouterSettings) {
        self.flag("accept", router.kernel.accept, true);
        self.flag("promote_secondaries", router.kernel.promotes_secondaries, false);
        self.flag("track_own_link", router.track_own_link, true);
        self.flag("track_source", router.track_source, false);
        self.unless("checksum", router.checksum, ChecksumForm::PseudoHeader, |form| match form {
            ChecksumForm::PseudoHeader => quoted("pseudo-header"),
            ChecksumForm::MessageOnly => quoted("message-only"),
        });
        self.flag("ignore_lower_priority", router.hearing.ignore_lower_priority, false);
        self.flag("answer_higher_priority", router.hearing.answer_higher_priority, true);
        self.flag("check_unicast_source", router.hearing.check_unicast_source, false);
        self.flag("skip_address_check", router.hearing.skip_address_check, false);
        self.flag("owner_ignores", router.hearing.owner_ignores, false);
    }

    fn routing(&mut self, routing: &Routing) {
        let routes: Vec<String> =
            routing.routes.iter().map(|route| quoted(&route_text(route))).collect();
        if !routes.is_empty() {
            self.key("routes", list(&routes));
        }
        let rules: Vec<String> =
            routing.rules.iter().map(|rule| quoted(&rule.to_string())).collect();
        if !rules.is_empty() {
            self.key("rules", list(&rules));
        }
    }

    fn fixed(&mut self, fixed: &Fixed) {
        if *fixed == Fixed::default() {
            return;
        }
        self.heading("[fixed]");
        let own: LinkName = "lo".parse().expect("a good name of a link");
        if !fixed.addresses.is_empty() {
            self.key("addresses", addresses(&fixed.addresses, &own));
        }
        self.routing(&fixed.routing);
    }

    fn virtual_links(&mut self, router: &RouterSettings) {
        let written: Vec<String> = router
            .kernel
            .virtual_links
            .made
            .iter()
            .map(|(name, link)| {
                let mut inline = Inline::start("name", quoted(name.as_str()));
                if link.base != router.link {
                    inline.key("on", quoted(link.base.as_str()));
                }
                match link.family {
                    family if family == router.family => {}
                    Family::V4 => inline.key("family", quoted("ipv4")),
                    Family::V6 => inline.key("family", quoted("ipv6")),
                }
                let shared = SIBLINGS.iter().filter(|(_, s)| link.kind == VirtualKind::BaseMac(*s));
                shared.for_each(|(word, _)| inline.key("ipvlan", quoted(word)));
                match link.kind {
                    VirtualKind::OwnMac(mac)
                        if mac != hardware_address(router.vrid, link.family) =>
                    {
                        inline.key("mac", quoted(&mac.to_string()));
                    }
                    VirtualKind::OwnMac(_) | VirtualKind::BaseMac(_) => {}
                }
                inline.end()
            })
            .collect();
        if !written.is_empty() {
            self.key("virtual_links", list(&written));
        }
        let speaks_on = router.kernel.virtual_links.speaks_on.as_ref();
        self.text("speaks_on", speaks_on.map(LinkName::as_str));
    }

    fn peers(&mut self, router: &RouterSettings) {
        match &router.peers {
            Peers::Multicast { group } => {
                let usual = usual_group(router.family);
                self.unless("multicast_group", *group, usual, |group| quoted(&group.to_string()));
            }
            Peers::Unicast { peers, ttl } => {
                let written: Vec<String> = peers
                    .iter()
                    .map(|peer| {
                        let address = quoted(&peer.address.to_string());
                        if (peer.ttl_min, peer.ttl_max) == (None, None) {
                            return address;
                        }
                        let mut inline = Inline::start("address", address);
                        inline.number("ttl_min", peer.ttl_min);
                        inline.number("ttl_max", peer.ttl_max);
                        inline.end()
                    })
                    .collect();
                self.key("peers", list(&written));
                self.flag("peers_required", written.is_empty(), false);
                self.unless("ttl", *ttl, 255, |ttl| ttl.to_string());
            }
        }
    }

    fn tracked(&mut self, links: &[TrackLink], scripts: &[TrackScript]) {
        if !links.is_empty() {
            let links: Vec<String> = links
                .iter()
                .map(|link| {
                    let mut inline = Inline::start("link", quoted(link.link.as_str()));
                    inline.weight(link.weight);
                    inline.end()
                })
                .collect();
            self.key("track_links", list(&links));
        }
        if !scripts.is_empty() {
            let scripts: Vec<String> = scripts
                .iter()
                .map(|script| {
                    let mut inline = Inline::start("script", quoted(script.script.as_str()));
                    if let Some(weight) = script.weight {
                        inline.weight(weight);
                    }
                    inline.end()
                })
                .collect();
            self.key("track_scripts", list(&scripts));
        }
    }

    fn announce(&mut self, announce: Announce) {
        let usual = Announce::default();
        if announce == usual {
            return;
        }
        self.heading("[virtual_router.announce]");
        let count = |count: u32| count.to_string();
        self.unless("delay", announce.delay, usual.delay, time);
        self.unless("repeat", announce.repeat, usual.repeat, count);
        self.unless("refresh", announce.refresh, usual.refresh, time);
        self.unless("refresh_repeat", announce.refresh_repeat, usual.refresh_repeat, count);
        self.unless("lower_priority_delay", announce.lower_priority_delay, announce.delay, time);
        self.unless(
            "lower_priority_repeat",
            announce.lower_priority_repeat,
            announce.repeat,
            count,
        );
        self.unless("arp_interval", announce.arp_interval, usual.arp_interval, time);
        self.unless("na_interval", announce.na_interval, usual.na_interval, time);
        self.unless("elsewhere", announce.elsewhere, usual.elsewhere, time);
        self.flag("elsewhere_on_all", announce.elsewhere_on_all, false);
    }

    fn group(&mut self, group: &GroupSettings) {
        self.heading("[[sync_group]]");
        self.text("name", Some(group.name.as_str()));
        let members: Vec<String> = group.members.iter().map(Name::as_str).map(quoted).collect();
        self.key("members", list(&members));
        self.flag("member_weights", group.member_weights, false);
        self.tracked(&group.track_links, &group.track_scripts);
        self.track_gauges(&group.track_gauges);
    }

    fn notify(&mut self, owner: &str, notify: Option<&Notify>) {
        let Some(notify) = notify else { return };
        self.heading(&format!("[{owner}.notify]"));
        let commands = [
            ("active", &notify.active),
            ("backup", &notify.backup),
            ("fault", &notify.fault),
            ("stop", &notify.stop),
            ("any", &notify.any),
            ("lower_priority", &notify.lower_priority),
            ("two_holders", &notify.two_holders),
            ("deleted", &notify.deleted),
        ];
        for (key, command) in commands {
            if let Some(command) = command {
                self.key(key, whole_command(command));
            }
        }
        self.flag("says_deleted", notify.says_deleted, false);
        self.flag("priority_changes", notify.priority_changes, false);
        self.flag("mail", notify.mail, false);
    }
}

/// An inline table.
struct Inline(String);

impl Inline {
    fn start(key: &str, value: String) -> Inline {
        Inline(format!("{{ {key} = {value}"))
    }

    fn key(&mut self, key: &str, value: impl AsRef<str>) {
        write!(self.0, ", {key} = {}", value.as_ref()).expect("a string takes all text");
    }

    fn number(&mut self, key: &str, value: Option<u8>) {
        if let Some(value) = value {
            self.key(key, value.to_string());
        }
    }

    fn text(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.key(key, quoted(value));
        }
    }

    fn flag(&mut self, key: &str, value: bool, usual: bool) {
        if value != usual {
            self.key(key, value.to_string());
        }
    }

    fn weight(&mut self, weight: Weight) {
        self.key("weight", weight.value.to_string());
        self.flag("reverse", weight.reverse, false);
    }

    fn end(self) -> String {
        self.0 + " }"
    }
}

fn addresses(addresses: &[VirtualAddress], own: &LinkName) -> String {
    let written: Vec<String> = addresses.iter().map(|address| one_address(address, own)).collect();
    list(&written)
}

fn one_address(address: &VirtualAddress, own: &LinkName) -> String {
    let text = quoted(&address.key.address.to_string());
    let AddressOptions {
        broadcast,
        scope,
        label,
        peer,
        detect_duplicates,
        home,
        manage_temporary,
        no_prefix_route,
        autojoin,
        preferred,
    } = &address.options;
    let mut inline = Inline::start("address", text.clone());
    let bare = inline.0.len();
    if address.key.link != *own {
        inline.key("link", quoted(address.key.link.as_str()));
    }
    inline.text("broadcast", broadcast.map(|ip| ip.to_string()).as_deref());
    match scope {
        Scope::Global => {}
        Scope::Site => inline.key("scope", quoted("site")),
        Scope::Link => inline.key("scope", quoted("link")),
        Scope::Host => inline.key("scope", quoted("host")),
        Scope::Other(number) => inline.key("scope", number.to_string()),
    }
    inline.text("label", label.as_deref());
    inline.text("peer", peer.map(|peer| peer.to_string()).as_deref());
    inline.flag("detect_duplicates", *detect_duplicates, false);
    inline.flag("home", *home, false);
    inline.flag("manage_temporary", *manage_temporary, false);
    inline.flag("no_prefix_route", *no_prefix_route, false);
    inline.flag("autojoin", *autojoin, false);
    if *preferred != usual_lifetime(address.key.address) {
        inline.key(
            "preferred",
            match preferred {
                Lifetime::Forever => quoted("forever"),
                Lifetime::Seconds(seconds) => quoted(&format!("{seconds}s")),
            },
        );
    }
    inline.flag("track", address.track, true);
    if inline.0.len() == bare { text } else { inline.end() }
}

fn whole_command(command: &Command) -> String {
    if (&command.user, &command.group) == (&None, &None) {
        return words(command);
    }
    let mut inline = Inline::start("command", words(command));
    inline.text("user", command.user.as_deref());
    inline.text("group", command.group.as_deref());
    inline.end()
}

fn words(command: &Command) -> String {
    let words: Vec<String> = command.words.iter().map(|word| quoted(word)).collect();
    format!("[{}]", words.join(", "))
}

/// A list; on lines of their own if there are several.
fn list(values: &[String]) -> String {
    match values {
        [] => "[]".to_owned(),
        [one] => format!("[{one}]"),
        several => format!("[\n    {},\n]", several.join(",\n    ")),
    }
}

fn time(length: std::time::Duration) -> String {
    quoted(&times::write(length))
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => {
                write!(out, "\\u{:04x}", u32::from(c)).expect("a string takes all text")
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
