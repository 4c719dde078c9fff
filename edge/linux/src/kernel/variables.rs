//! System variables of links, set where they are otherwise.

use std::io;

use mainstay_plan::Refusal;

use crate::topology::{set_sysctl, sysctl};

/// A variable of one link: `net.ipv4.conf.LINK.arp_ignore`.
pub(super) fn of_link(family: &str, link: &str, name: &str) -> String {
    // In the name of a variable, a slash stands for a dot of a link's name.
    format!("net.{family}.conf.{}.{name}", link.replace('.', "/"))
}

/// The value of a variable, if there is such a one.
pub(super) fn read(name: &str) -> Option<String> {
    sysctl(name).ok()
}

/// Sets a variable unless it is so already.
pub(super) fn set(name: &str, value: &str) -> Result<(), Refusal> {
    if read(name).as_deref() == Some(value) {
        return Ok(());
    }
    match set_sysctl(name, value) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Refusal {
            errno: error.raw_os_error().unwrap_or(libc::EIO),
            message: format!("cannot set {name} to {value}: {error}"),
        }),
    }
}

/// Lets strictness against unexpected sources be a matter of each link: the greater of this one and that
/// of a link counts, and a virtual link has to take packets whose answers leave by its base.
pub(super) fn spread_source_check() -> Result<(), Refusal> {
    const ALL: &str = "net.ipv4.conf.all.rp_filter";
    let strictness = |name: &str| read(name).and_then(|text| text.parse::<u8>().ok());
    let Some(all) = strictness(ALL).filter(|all| *all > 0) else { return Ok(()) };
    let folder = std::fs::read_dir("/proc/sys/net/ipv4/conf");
    let names = folder.into_iter().flatten().flatten().map(|entry| entry.file_name());
    for link in names.filter_map(|name| name.into_string().ok()).filter(|name| name != "all") {
        let name = of_link("ipv4", &link, "rp_filter");
        if strictness(&name).is_some_and(|own| own < all) {
            set(&name, &all.to_string())?;
        }
    }
    set(ALL, "0")
}
