//! keepalived.data: settings and states, as far as programs read them there.

use mainstay_base::{Family, Instant};
use mainstay_engine::vrrp::{
    GroupView, Peers, Preempt, Reading, RouterSettings, RouterView, ScriptView, TrackedThing,
    Verdict, Version,
};
use mainstay_engine::{Notify, Settings};

use super::words::{address_line, is_strict, moment, own_link, quoted, word};
use crate::channel::Report;

/// The whole file.
pub(super) fn text(settings: &Settings, report: &Report) -> String {
    let mut text = Lines::default();
    text.add("------< Global definitions >------");
    text.add(&format!(
        " Router ID = {}",
        settings.node.name.clone().unwrap_or_else(crate::slow::host_name)
    ));
    let security = if settings.node.script_security { "enabled" } else { "disabled" };
    text.add(&format!(" Script security {security}"));
    text.add("------< VRRP Topology >------");
    let view = &report.status.vrrp;
    for router in &view.routers {
        let asked = settings.vrrp.routers.iter().find(|asked| asked.name == router.name);
        let Some(asked) = asked else { continue };
        let told = settings.notify_routers.get(&router.name).cloned().unwrap_or_default();
        text.router(asked, router, &told);
    }
    if !view.groups.is_empty() {
        text.add("------< VRRP Sync groups >------");
        view.groups.iter().for_each(|group| text.group(group, settings));
    }
    if !view.scripts.is_empty() {
        text.add("------< VRRP Scripts >------");
        view.scripts.iter().for_each(|script| text.script(script, settings, &view.routers));
    }
    text.watched(settings, report);
    text.0
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn field(&mut self, name: &str, value: impl std::fmt::Display) {
        self.add(&format!("   {name} = {value}"));
    }

    fn router(&mut self, asked: &RouterSettings, view: &RouterView, told: &Notify) {
        self.add(&format!(" VRRP Instance = {}", view.name));
        let version = match asked.version {
            Version::V2 => 2,
            Version::V3 => 3,
        };
        self.field("VRRP Version", version);
        if let Some(group) = &view.group {
            self.field("Sync group", group);
        }
        if asked.family == Family::V6 {
            self.add("   Using Native IPv6");
        }
        self.field("State", word(view.standing.state));
        self.add("   Flags: none");
        self.field("Wantstate", word(view.standing.state));
        self.field("Last transition", dated(view.standing.since));
        self.field("Master down timer", format!("{} usecs", view.times.active_down.as_micros()));
        self.link(asked);
        if is_strict(asked) {
            self.add("   Enforcing strict VRRP compliance");
        }
        self.sending(asked, view);
        self.announcing(asked);
        self.field("Virtual Router ID", asked.vrid);
        self.field("Priority", asked.priority);
        self.field("Effective priority", view.effective_priority);
        self.field("Total priority", view.effective_priority);
        let interval = asked.advertisement_interval.duration();
        match asked.version {
            Version::V2 => self.field("Advert interval", format!("{} sec", interval.as_secs())),
            Version::V3 => {
                self.field("Advert interval", format!("{} milli-sec", interval.as_millis()));
            }
        }
        self.field("Accept", enabled(asked.kernel.accept));
        self.field("Preempt", enabled(asked.preempt != Preempt::Never));
        self.field("Promote_secondaries", enabled(asked.kernel.promotes_secondaries));
        if let Preempt::After(delay) = asked.preempt
            && !delay.is_zero()
        {
            self.field("Preempt delay", format!("{} secs", delay.as_secs_f64()));
        }
        if asked.authentication.password().is_some() {
            self.field("Authentication type", "SIMPLE_PASSWORD");
        }
        self.addresses(asked, view);
        self.tracked(view);
        self.notified(told);
    }

    fn link(&mut self, asked: &RouterSettings) {
        let Some((name, made)) = own_link(asked) else {
            return self.field("Interface", &asked.link);
        };
        let base = &made.base;
        let on_base = if asked.advert_link() == name { "" } else { ", xmit base i/f" };
        let kind = if made.has_own_mac() { "vmac" } else { "ipvlan" };
        self.field("Interface", format!("{name}, {kind} on {base}{on_base}"));
    }

    fn sending(&mut self, asked: &RouterSettings, view: &RouterView) {
        if let Some(source) = asked.source {
            self.field("Using src_ip", source);
        } else if let Some(active) = view.active.filter(|active| active.ours) {
            self.field("Using src_ip", active.address);
        }
        match &asked.peers {
            Peers::Multicast { group } => self.add(&format!("   Multicast address {group}")),
            Peers::Unicast { peers, .. } => {
                self.add("   Unicast Peer :");
                peers.iter().for_each(|peer| self.add(&format!("     {}", peer.address)));
            }
        }
    }

    fn announcing(&mut self, asked: &RouterSettings) {
        let announce = &asked.announce;
        self.field("Gratuitous ARP delay", announce.delay.as_secs());
        self.field("Gratuitous ARP repeat", announce.repeat);
        self.field("Gratuitous ARP refresh", announce.refresh.as_secs());
        self.field("Gratuitous ARP refresh repeat", announce.refresh_repeat);
        let delay = announce.lower_priority_delay.as_secs();
        self.field("Gratuitous ARP lower priority delay", delay);
        self.field("Gratuitous ARP lower priority repeat", announce.lower_priority_repeat);
        self.field("Down timer adverts", asked.down_intervals);
        let answers = [
            (
                "Send advert after receive lower priority advert",
                !asked.hearing.ignore_lower_priority,
            ),
            (
                "Send advert after receive higher priority advert",
                asked.hearing.answer_higher_priority,
            ),
        ];
        answers.into_iter().for_each(|(name, value)| self.field(name, value));
    }

    fn addresses(&mut self, asked: &RouterSettings, view: &RouterView) {
        self.add(&format!("   Virtual IP ({}):", asked.addresses.len()));
        for address in &asked.addresses {
            self.add(&format!("     {}", address_line(address, asked, view)));
        }
        if !asked.excluded.is_empty() {
            self.add("   Virtual IP Excluded :");
            for address in &asked.excluded {
                self.add(&format!("     {}", address_line(address, asked, view)));
            }
        }
    }

    fn tracked(&mut self, view: &RouterView) {
        let links = view.tracked.iter().filter_map(|tracked| match &tracked.what {
            TrackedThing::Link(link) => {
                Some(format!("     {link} weight {}", tracked.weight.value))
            }
            TrackedThing::Script(_) | TrackedThing::Gauge(_) => None,
        });
        let scripts = view.tracked.iter().filter_map(|tracked| match &tracked.what {
            TrackedThing::Script(script) => {
                Some(format!("     {script} weight {}", tracked.weight.value))
            }
            TrackedThing::Link(_) | TrackedThing::Gauge(_) => None,
        });
        let lists: [(&str, Vec<String>); 2] =
            [("Tracked interfaces", links.collect()), ("Tracked scripts", scripts.collect())];
        for (heading, lines) in lists {
            if !lines.is_empty() {
                self.add(&format!("   {heading} :"));
                lines.iter().for_each(|line| self.add(line));
            }
        }
    }

    fn notified(&mut self, told: &Notify) {
        self.field("Using smtp notification", if told.mail { "yes" } else { "no" });
        self.field("Notify deleted", if told.says_deleted { "Deleted" } else { "Fault" });
        self.programs(told);
        self.field("Notify priority changes", told.priority_changes);
    }

    fn programs(&mut self, told: &Notify) {
        let scripts = [
            ("Backup state transition script", &told.backup),
            ("Fault state transition script", &told.fault),
            ("Master state transition script", &told.active),
            ("Stop state transition script", &told.stop),
            ("Generic state transition script", &told.any),
        ];
        for (name, command) in scripts {
            if let Some(command) = command {
                self.field(name, quoted(command));
            }
        }
    }

    fn group(&mut self, group: &GroupView, settings: &Settings) {
        self.add(&format!(" VRRP Sync Group = {}, {}", group.name, word(group.state)));
        self.add("   VRRP member instances :");
        group.members.iter().for_each(|member| self.add(&format!("     {member}")));
        let told = settings.notify_groups.get(&group.name);
        let mail = told.is_some_and(|told| told.mail);
        self.field("Using smtp notification", if mail { "yes" } else { "no" });
        if let Some(told) = told {
            self.programs(told);
        }
    }

    fn script(&mut self, script: &ScriptView, settings: &Settings, routers: &[RouterView]) {
        let asked = settings.vrrp.scripts.iter().find(|asked| asked.name == script.name);
        let Some(asked) = asked else { return };
        self.add(&format!(" VRRP Script = {}", script.name));
        self.field("Command", quoted(&asked.command));
        self.field("Interval", format!("{} sec", asked.interval.as_secs_f64()));
        self.field("Timeout", format!("{} sec", asked.timeout.as_secs_f64()));
        self.field("Weight", asked.weight.value);
        self.field("Rise", asked.rise);
        self.field("Fall", asked.fall);
        self.field("Insecure", "no");
        let status = match script.verdict {
            Verdict::Up => "GOOD",
            Verdict::Down => "BAD",
            Verdict::Unknown => "INIT",
        };
        self.field("Status", status);
        self.add("   Tracking instances :");
        let what = TrackedThing::Script(script.name.clone());
        for router in routers {
            for tracked in router.tracked.iter().filter(|tracked| tracked.what == what) {
                self.add(&format!("     {}, weight {}", router.name, tracked.weight.value));
            }
        }
        self.field("State", "idle");
    }

    fn watched(&mut self, settings: &Settings, report: &Report) {
        if settings.files.is_empty() {
            return;
        }
        self.add("------< VRRP Track files >------");
        for file in &settings.files {
            let mut gauges = report.status.vrrp.gauges.iter();
            let gauge = gauges.find(|view| view.gauge.name == file.name);
            let level = match gauge.map(|view| view.reading) {
                Some(Reading::Level(level)) => level,
                Some(Reading::Verdict(_)) | None => 0,
            };
            self.add(&format!(" Track file = {}", file.name));
            self.field("File", file.path.display());
            self.field("Status", level);
        }
    }
}

fn dated(at: Instant) -> String {
    format!("{:.6}", moment(at))
}

fn enabled(flag: bool) -> &'static str {
    if flag { "enabled" } else { "disabled" }
}
