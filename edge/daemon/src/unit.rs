//! The unit of systemd that this process belongs to, and whether it was stopped.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// An answer of systemd takes some milliseconds.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// A service of the system's manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    name: String,
}

impl Unit {
    /// The unit of this process; none where it is no service.
    pub(crate) fn of_this_process() -> Option<Unit> {
        Unit::within(&std::fs::read_to_string("/proc/self/cgroup").ok()?)
    }

    /// The unit that the lines of a `/proc/PID/cgroup` name: the last part of the path in systemd's hierarchy.
    fn within(cgroups: &str) -> Option<Unit> {
        let older = cgroups.lines().find_map(|line| Some(line.split_once(":name=systemd:")?.1));
        let path = older.or_else(|| cgroups.lines().find_map(|line| line.strip_prefix("0::")))?;
        let name = path.rsplit('/').next().filter(|name| name.ends_with(".service"))?;
        // A user's own manager answers on another line.
        let is_users = path.contains("/user@");
        (!is_users).then(|| Unit { name: name.to_owned() })
    }

    /// Whether systemd took the unit down, and will not start it again by itself. One that it cannot be asked about is not.
    pub(crate) async fn is_stopped(&self) -> bool {
        let mut ask = Command::new("systemctl");
        ask.args(["show", "--property=LoadState,ActiveState", "--", &self.name]);
        ask.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let answer = tokio::time::timeout(ANSWERS_WITHIN, ask.output()).await;
        answer.is_ok_and(|told| told.is_ok_and(|told| says_stopped(&told.stdout)))
    }
}

fn says_stopped(told: &[u8]) -> bool {
    let told = String::from_utf8_lossy(told);
    ["LoadState=loaded", "ActiveState=inactive"]
        .iter()
        .all(|fact| told.lines().any(|line| line == *fact))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_service_of_the_system_has_a_unit() {
        let unit = |cgroups: &str| Unit::within(cgroups).map(|unit| unit.name);
        let name = Some("mainstay.service".to_owned());
        assert_eq!(unit("0::/system.slice/mainstay.service\n"), name);
        let older =
            "12:cpu,cpuacct:/\n1:name=systemd:/system.slice/mainstay.service\n0::/elsewhere\n";
        assert_eq!(unit(older), name);
        for other in [
            "0::/\n",
            "0::/user.slice/user-1000.slice/session-3.scope\n",
            "0::/user.slice/user-1000.slice/user@1000.service/app.slice/mainstay.service\n",
            "0::/system.slice/agent.service/inner\n",
            "",
        ] {
            assert_eq!(unit(other), None, "{other}");
        }
    }

    #[test]
    fn a_unit_that_waits_for_its_restart_or_is_not_known_is_not_stopped() {
        assert!(says_stopped(b"LoadState=loaded\nActiveState=inactive\n"));
        for other in [
            "LoadState=loaded\nActiveState=activating\n",
            "LoadState=loaded\nActiveState=failed\n",
            "LoadState=not-found\nActiveState=inactive\n",
            "",
        ] {
            assert!(!says_stopped(other.as_bytes()), "{other}");
        }
    }
}
