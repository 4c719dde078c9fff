//! keepalived's words and numbers for what dump files show.

use std::time::{Duration, SystemTime};

use mainstay_base::{Instant, LinkName};
use mainstay_engine::vrrp::{
    Command, Preempt, RouterSettings, RouterView, StateName, VirtualAddress,
};
use mainstay_linux::clock;
use mainstay_plan::{Lifetime, Scope, VirtualLink};

/// keepalived's number of a state.
pub(super) fn number(state: StateName) -> u8 {
    match state {
        StateName::Initialize => 0,
        StateName::Backup => 1,
        StateName::Active => 2,
        StateName::Fault => 3,
    }
}

/// keepalived's word for a state.
pub(super) fn word(state: StateName) -> &'static str {
    ["INIT", "BACKUP", "MASTER", "FAULT"][usize::from(number(state))]
}

/// Whether a router does all that keepalived's strict mode makes of one: what it comes to is all that is kept of it.
pub(super) fn is_strict(asked: &RouterSettings) -> bool {
    let (hearing, announce) = (&asked.hearing, &asked.announce);
    let answers = !hearing.ignore_lower_priority || hearing.answer_higher_priority;
    let calls_back =
        announce.lower_priority_repeat > 0 || announce.lower_priority_delay > Duration::ZERO;
    let waits = matches!(asked.preempt, Preempt::After(delay) if delay > Duration::ZERO);
    let has_password = asked.authentication.password().is_some();
    let departs = answers || calls_back || waits || has_password;
    !departs && hearing.owner_ignores && asked.down_intervals == 3
}

/// `192.0.2.100/24 brd 192.0.2.255 dev vrrp.51@eth0 scope global set`: without a length if it is a host's, with a last
/// word while the kernel has it, and one more while packets to it are dropped.
pub(super) fn address_line(
    address: &VirtualAddress,
    asked: &RouterSettings,
    view: &RouterView,
) -> String {
    let (key, options) = (&address.key, &address.options);
    let ip = key.address.ip();
    let is_host = key.address.prefix_len() == if ip.is_ipv4() { 32 } else { 128 };
    let mut line = if is_host { ip.to_string() } else { key.address.to_string() };
    let mut add = |text: String| line.push_str(&text);
    if let Some(broadcast) = options.broadcast {
        add(format!(" brd {broadcast}"));
    }
    match asked.kernel.virtual_links.made.get(&key.link) {
        Some(made) => add(format!(" dev {}@{}", key.link, made.base)),
        None => add(format!(" dev {}", key.link)),
    }
    add(format!(" scope {}", scope(options.scope)));
    if let Some(label) = &options.label {
        add(format!(" label {label}"));
    }
    if options.detect_duplicates && ip.is_ipv6() {
        add(" -nodad".to_owned());
    }
    match options.preferred {
        Lifetime::Forever if ip.is_ipv4() => {}
        Lifetime::Forever => add(" preferred_lft forever".to_owned()),
        Lifetime::Seconds(0) => add(" deprecated".to_owned()),
        Lifetime::Seconds(seconds) => add(format!(" preferred_lft {seconds}")),
    }
    if view.addresses.iter().any(|seen| seen.key == *key && seen.present) {
        add(" set".to_owned());
        if !asked.kernel.accept {
            add(" nftable_set".to_owned());
        }
    }
    line
}

/// As `ip address` says it.
fn scope(scope: Scope) -> String {
    match scope {
        Scope::Global => "global".to_owned(),
        Scope::Site => "site".to_owned(),
        Scope::Link => "link".to_owned(),
        Scope::Host => "host".to_owned(),
        Scope::Other(number) => number.to_string(),
    }
}

/// The link that is made for a router, if there is one: that of its advertisements or of its addresses.
pub(super) fn own_link(asked: &RouterSettings) -> Option<(&LinkName, &VirtualLink)> {
    let made = |name| asked.kernel.virtual_links.made.get_key_value(name);
    made(asked.advert_link()).or_else(|| made(asked.home_link()))
}

/// Seconds since 1970.
pub(super) fn moment(at: Instant) -> f64 {
    clock::wall(at).duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// Each word in quotes, as keepalived shows a command.
pub(super) fn quoted(command: &Command) -> String {
    let words: Vec<String> = command.words.iter().map(|word| format!("'{word}'")).collect();
    words.join(" ")
}
