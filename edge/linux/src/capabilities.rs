//! Which capabilities this thread has, as plain values.

use std::fmt;
use std::io;

use rustix::thread::CapabilitySet;

/// The capabilities that a node uses, each with whether it is effective.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Addresses, links, buffers beyond the limit.
    pub net_admin: bool,
    /// Raw sockets and whole frames.
    pub net_raw: bool,
    /// Real-time scheduling.
    pub sys_nice: bool,
    /// Locked memory.
    pub ipc_lock: bool,
    /// Scripts of another user.
    pub setuid: bool,
    /// Scripts of another group.
    pub setgid: bool,
    /// Making and entering namespaces.
    pub sys_admin: bool,
}

impl Capabilities {
    /// What the calling thread may do at the moment.
    ///
    /// # Errors
    /// The kernel does not tell.
    pub fn effective() -> io::Result<Capabilities> {
        let held = rustix::thread::capabilities(None)?.effective;
        Ok(Capabilities {
            net_admin: held.contains(CapabilitySet::NET_ADMIN),
            net_raw: held.contains(CapabilitySet::NET_RAW),
            sys_nice: held.contains(CapabilitySet::SYS_NICE),
            ipc_lock: held.contains(CapabilitySet::IPC_LOCK),
            setuid: held.contains(CapabilitySet::SETUID),
            setgid: held.contains(CapabilitySet::SETGID),
            sys_admin: held.contains(CapabilitySet::SYS_ADMIN),
        })
    }

    /// What VRRP cannot do without and is not there: `CAP_NET_ADMIN`, `CAP_NET_RAW`.
    pub fn missing_for_vrrp(self) -> Vec<&'static str> {
        let needed = [(self.net_admin, "CAP_NET_ADMIN"), (self.net_raw, "CAP_NET_RAW")];
        needed.into_iter().filter(|(held, _)| !held).map(|(_, name)| name).collect()
    }
}

impl fmt::Display for Capabilities {
    /// The names of those that are effective, separated by blanks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [
            (self.net_admin, "NET_ADMIN"),
            (self.net_raw, "NET_RAW"),
            (self.sys_nice, "SYS_NICE"),
            (self.ipc_lock, "IPC_LOCK"),
            (self.setuid, "SETUID"),
            (self.setgid, "SETGID"),
            (self.sys_admin, "SYS_ADMIN"),
        ];
        let held: Vec<&str> = all.into_iter().filter(|(held, _)| *held).map(|(_, n)| n).collect();
        f.write_str(&held.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The effective set as `/proc` prints it: another way to the same fact.
    fn as_proc_says() -> u64 {
        let text = std::fs::read_to_string("/proc/thread-self/status").expect("proc is there");
        let line = text.lines().find_map(|l| l.strip_prefix("CapEff:")).expect("a line CapEff");
        u64::from_str_radix(line.trim(), 16).expect("a number in hexadecimal")
    }

    #[test]
    fn it_says_what_proc_says() {
        let held = Capabilities::effective().expect("readable");
        let bits = as_proc_says();
        let bit = |number: u32| bits >> number & 1 == 1;
        assert_eq!(held.net_admin, bit(12));
        assert_eq!(held.net_raw, bit(13));
        assert_eq!(held.sys_nice, bit(23));
        assert_eq!(held.ipc_lock, bit(14));
        assert_eq!(held.setuid, bit(7));
        assert_eq!(held.setgid, bit(6));
        assert_eq!(held.sys_admin, bit(21));
    }

    #[test]
    fn what_is_missing_is_named() {
        let none = Capabilities::default();
        assert_eq!(none.missing_for_vrrp(), ["CAP_NET_ADMIN", "CAP_NET_RAW"]);
        let some = Capabilities { net_admin: true, ipc_lock: true, ..none };
        assert_eq!(some.missing_for_vrrp(), ["CAP_NET_RAW"]);
        assert_eq!(some.to_string(), "NET_ADMIN IPC_LOCK");
    }
}
