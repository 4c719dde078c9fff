//! A user namespace of our own: root over fresh network namespaces without being root.

use std::fs;
use std::io;

use rustix::io::Errno;
use rustix::thread::{UnshareFlags, unshare_unsafe};

use crate::capabilities::Capabilities;
use crate::topology::Links;

/// Why network namespaces cannot be made here, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}; {remedy}")]
pub struct NotPermitted {
    /// What the system refused.
    pub reason: String,
    /// What the operator can do.
    pub remedy: String,
}

/// Whether this process may make network namespaces and links as it stands.
pub fn may_make_namespaces() -> bool {
    Capabilities::effective().is_ok_and(|held| held.sys_admin && held.net_admin)
}

/// Moves this process into a new user, network and mount namespace, as their root.
///
/// Only a process with one thread may do so: call it first thing in `main`. The caller's own
/// user and group become root inside; the loopback link is up.
///
/// # Errors
/// The system does not allow it; the sentence says which setting or permission is missing.
pub fn enter_user_namespace() -> Result<(), NotPermitted> {
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    unshare(UnshareFlags::NEWUSER)?;
    write_map("/proc/self/setgroups", "deny")?;
    write_map("/proc/self/uid_map", &format!("0 {} 1", user.as_raw()))?;
    write_map("/proc/self/gid_map", &format!("0 {} 1", group.as_raw()))?;
    unshare(UnshareFlags::NEWNET | UnshareFlags::NEWNS)?;
    let loopback = Links::open().map_err(|e| not_permitted("open netlink", &e))?.set_up("lo");
    loopback.map_err(|e| not_permitted("set up a link", &e.into()))
}

/// Moves this process into a mount namespace of its own. Only a process with one thread may do so.
///
/// # Errors
/// `EPERM` without CAP_SYS_ADMIN.
pub fn enter_mount_namespace() -> io::Result<()> {
    // SAFETY: Descriptors stay shared: FILES is not given. The process has one thread, so that
    // nobody's root or working directory moves away.
    Ok(unsafe { unshare_unsafe(UnshareFlags::NEWNS) }?)
}

fn unshare(flags: UnshareFlags) -> Result<(), NotPermitted> {
    // SAFETY: Descriptors and file system state stay shared: neither FILES nor FS is given.
    unsafe { unshare_unsafe(flags) }.map_err(|e| not_permitted("make a user namespace", &e.into()))
}

fn write_map(path: &str, text: &str) -> Result<(), NotPermitted> {
    fs::write(path, text).map_err(|e| not_permitted(&format!("write {path}"), &e))
}

fn not_permitted(what: &str, error: &io::Error) -> NotPermitted {
    let errno = error.raw_os_error().and_then(|n| u16::try_from(n).ok()).map(i32::from);
    let reason = match errno {
        Some(errno) => format!("cannot {what}: {}", crate::errno::text(errno)),
        None => format!("cannot {what}: {error}"),
    };
    NotPermitted { reason, remedy: remedy(errno, &Limits::read()) }
}

/// The settings of the system that forbid user namespaces.
#[derive(Clone, Copy, Debug, Default)]
struct Limits {
    restricted_by_apparmor: bool,
    switched_off: bool,
    none_allowed: bool,
}

impl Limits {
    fn read() -> Limits {
        let is =
            |path: &str, value: &str| fs::read_to_string(path).is_ok_and(|t| t.trim() == value);
        Limits {
            restricted_by_apparmor: is(
                "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
                "1",
            ),
            switched_off: is("/proc/sys/kernel/unprivileged_userns_clone", "0"),
            none_allowed: is("/proc/sys/user/max_user_namespaces", "0"),
        }
    }
}

fn remedy(errno: Option<i32>, limits: &Limits) -> String {
    let setting = if errno == Some(Errno::INVAL.raw_os_error()) {
        return "call it before the process starts a second thread".to_owned();
    } else if limits.switched_off {
        "kernel.unprivileged_userns_clone=1"
    } else if limits.restricted_by_apparmor {
        "kernel.apparmor_restrict_unprivileged_userns=0"
    } else if limits.none_allowed || errno == Some(Errno::NOSPC.raw_os_error()) {
        "user.max_user_namespaces=10000"
    } else {
        return "run it as root, or with CAP_NET_ADMIN and CAP_SYS_ADMIN (in a container: \
                --privileged)"
            .to_owned();
    };
    format!("run it as root, or allow user namespaces with `sudo sysctl {setting}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remedy_names_the_setting_that_forbids_it() {
        let denied = Some(libc::EPERM);
        let nothing = Limits::default();
        let apparmor = Limits { restricted_by_apparmor: true, ..nothing };
        assert!(remedy(denied, &apparmor).contains("apparmor_restrict_unprivileged_userns=0"));
        let debian = Limits { switched_off: true, ..nothing };
        assert!(remedy(denied, &debian).contains("unprivileged_userns_clone=1"));
        let none = Limits { none_allowed: true, ..nothing };
        assert!(remedy(Some(libc::ENOSPC), &none).contains("max_user_namespaces"));
        assert!(remedy(Some(libc::EINVAL), &nothing).contains("second thread"));
        assert!(remedy(denied, &nothing).contains("run it as root"));
    }

    #[test]
    fn a_process_with_threads_is_told_why_it_cannot() {
        // The test harness runs tests on threads of their own, so that there are two at least.
        let refused = enter_user_namespace().expect_err("this process has threads");
        assert!(refused.to_string().contains("second thread"), "{refused}");
    }
}
