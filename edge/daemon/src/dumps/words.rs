//! keepalived's words and numbers for what dump files show.

use std::time::SystemTime;

use mainstay_base::Instant;
use mainstay_engine::vrrp::{Command, RouterView, StateName, VirtualAddress};
use mainstay_linux::clock;

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

/// `192.0.2.100/24 dev eth0 scope global set`: the last word while the kernel has it.
pub(super) fn address_line(address: &VirtualAddress, view: &RouterView) -> String {
    let key = &address.key;
    let present = view.addresses.iter().any(|seen| seen.key == *key && seen.present);
    let set = if present { " set" } else { "" };
    format!("{} dev {} scope global{set}", key.address, key.link)
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
