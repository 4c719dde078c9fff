//! Nodes that prove to each other who they are, and those that cannot.

mod suite;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use mainstay_api::{SessionState, Status};
use mainstay_lab::cluster::{Cluster, Layout, Plug};
use mainstay_lab::daemon::Daemon;
use mainstay_lab::wait;
use mainstay_lab::watch::Watch;

const BOUND: Duration = Duration::from_secs(20);

/// Longer than a Backup of these files waits for advertisements: 3 s and its skew.
const LONGER: Duration = Duration::from_millis(4500);

/// Advertisements cannot be missed so soon: 3 s and a skew of 0.6 s after the last one, which came in the second before.
const UNMISSED: Duration = Duration::from_secs(2);

const ADDRESS: &str = "192.0.2.100";
const OWN: [&str; 2] = ["192.0.2.11", "192.0.2.12"];
const PRIORITIES: [u8; 2] = [200, 100];

const ONE: Option<&str> = Some("one");
const OTHER: Option<&str> = Some("other");

fn main() -> ExitCode {
    let trials = vec![
        Trial::test("nodes_with_one_key_notice_a_death_at_once", one_key),
        Trial::test("a_backup_with_another_key_goes_by_advertisements", || {
            apart([ONE, OTHER], "wrong-digest")
        }),
        Trial::test("a_backup_without_the_key_goes_by_advertisements", || {
            apart([ONE, None], "authentication-differs")
        }),
        Trial::test("an_active_without_the_key_is_watched_by_its_advertisements", || {
            apart([None, ONE], "authentication-differs")
        }),
        Trial::test("a_key_changed_on_the_active_first_moves_nothing", || rekeyed([0, 1])),
        Trial::test("a_key_changed_on_the_backup_first_moves_nothing", || rekeyed([1, 0])),
    ];
    suite::run(3, trials)
}

fn one_key() -> Result<(), Failed> {
    let nodes = Nodes::start([ONE, ONE])?;
    nodes.watch_each_other()?;
    nodes.until_dead_at_once()
}

/// The Backup tries the Active, which counts its packets under that reason and does not answer.
fn apart(keys: [Option<&str>; 2], reason: &str) -> Result<(), Failed> {
    let nodes = Nodes::start(keys)?;
    let of = |status: Status| status.detection.rejects.get(reason).copied().unwrap_or_default();
    let counted = || nodes.status(0).is_ok_and(|status| of(status) >= 2);
    let what = format!("two packets that are counted as {reason}");
    wait::until(&what, BOUND, counted).map_err(|error| nodes.told(&error.to_string()))?;
    wait::throughout(LONGER, || [0, 1].iter().all(|host| !nodes.is_up(*host)))
        .map_err(|after| nodes.told(&format!("a session came up after {after:?}")))?;
    nodes.nothing_moved()?;
    let (took, why) = nodes.cut()?;
    if took < UNMISSED || !why.contains("fell silent") {
        return Err(nodes.told(&format!("taken after {took:?}: {why}")));
    }
    Ok(())
}

/// One node after the other gets another key. Each session falls, which is no death, and comes up when both have it.
fn rekeyed([first, second]: [usize; 2]) -> Result<(), Failed> {
    let nodes = Nodes::start([ONE, ONE])?;
    nodes.watch_each_other()?;
    nodes.rekey(first, OTHER)?;
    for host in [0, 1] {
        let fallen = || !nodes.is_up(host) && nodes.fall(host).is_some();
        wait::until("the fall of the session", BOUND, fallen)
            .map_err(|error| nodes.told(&format!("{error} on host {host}")))?;
        let why = nodes.fall(host);
        // A node that was late to judge, as one may be that has no processor to itself, says that instead.
        if !why.as_deref().is_some_and(|why| why == "unproven" || why == "overslept") {
            return Err(nodes.told(&format!("the session of host {host} fell: {why:?}")));
        }
    }
    nodes.stays_calm(LONGER)?;
    nodes.rekey(second, OTHER)?;
    nodes.watch_each_other()?;
    nodes.nothing_moved()?;
    nodes.until_dead_at_once()
}

/// Two nodes that are started from mainstay's own files, the first one Active.
struct Nodes {
    daemons: [Daemon; 2],
    /// Where the address is.
    watches: [Watch; 2],
    cluster: Cluster,
}

impl Nodes {
    /// Starts both, the second one when the first one is Active.
    fn start(keys: [Option<&str>; 2]) -> Result<Nodes, Failed> {
        let host = |name, address| Layout::new(name, Plug::new("eth0", 0, &[address]));
        let cluster = Cluster::build(vec![
            host("a", &format!("{}/24", OWN[0])),
            host("b", &format!("{}/24", OWN[1])),
        ])?;
        let first = Daemon::start_native(&cluster, 0, &file(0, keys[0]))?;
        let address = ADDRESS.parse()?;
        wait::until("the first node being Active", BOUND, || {
            cluster.host(0).holds(address).unwrap_or(false)
        })
        .map_err(|error| format!("{error}\n{}", first.log()))?;
        let second = Daemon::start_native(&cluster, 1, &file(1, keys[1]))?;
        let watch = |host: usize| Watch::start(cluster.host(host).namespace(), address);
        let nodes = Nodes { watches: [watch(0)?, watch(1)?], daemons: [first, second], cluster };
        let knows = || nodes.status(1).is_ok_and(|status| status.routers[0].active.is_some());
        wait::until("the second node hearing the first one", BOUND, knows)
            .map_err(|error| nodes.told(&error.to_string()))?;
        Ok(nodes)
    }

    fn status(&self, host: usize) -> Result<Status, Failed> {
        Ok(self.daemons[host].status(self.cluster.host(host))?)
    }

    /// Gives a node another key.
    fn rekey(&self, host: usize, key: Option<&str>) -> Result<(), Failed> {
        Ok(self.daemons[host].reload(&file(host, key))?)
    }

    fn watch_each_other(&self) -> Result<(), Failed> {
        for host in [0, 1] {
            let peer = Some(OWN[1 - host].parse()?);
            self.daemons[host]
                .until_watching(self.cluster.host(host), peer)
                .map_err(|error| self.told(&error.to_string()))?;
        }
        Ok(())
    }

    /// Whether its session with the other one is up.
    fn is_up(&self, host: usize) -> bool {
        let sessions = self.status(host).map(|status| status.detection.sessions);
        sessions
            .is_ok_and(|sessions| sessions.iter().any(|session| session.state == SessionState::Up))
    }

    /// Why its session fell last.
    fn fall(&self, host: usize) -> Option<String> {
        let sessions = self.status(host).ok()?.detection.sessions;
        sessions.into_iter().find_map(|session| session.last_down).map(|down| down.cause)
    }

    /// For that long the first node, and no other, has the address.
    fn stays_calm(&self, span: Duration) -> Result<(), Failed> {
        wait::throughout(span, || self.watches[0].there() && !self.watches[1].there())
            .map_err(|after| self.told(&format!("the address moved after {after:?}")))?;
        self.nothing_moved()
    }

    /// The first node has had the address since the second one was started, and no other has.
    fn nothing_moved(&self) -> Result<(), Failed> {
        let changes = [0, 1].map(|host| self.watches[host].changes());
        let there = changes.each_ref().map(|changes| changes.last().map(|change| change.there));
        let became = |host| Ok::<_, Failed>(self.status(host)?.routers[0].counters.became_active);
        let became = [became(0)?, became(1)?];
        let is_so = changes.iter().all(|changes| changes.len() == 1)
            && (there, became) == ([Some(true), Some(false)], [1, 0]);
        if is_so { Ok(()) } else { Err(self.told(&format!("moved: {changes:?} {became:?}"))) }
    }

    /// Cuts the first node off; how long the second one took to have the address, and why it took it.
    fn cut(&self) -> Result<(Duration, String), Failed> {
        let began = Instant::now();
        self.cluster.isolate(0)?;
        wait::until("the second node being Active", BOUND, || self.watches[1].there())
            .map_err(|error| self.told(&error.to_string()))?;
        let noticed_at = self.watches[1].changes().last().map(|change| change.at);
        let took = noticed_at.ok_or("no change")?.saturating_duration_since(began);
        Ok((took, self.status(1)?.routers[0].why.clone()))
    }

    /// Cuts the first node off, which the second one knows long before advertisements are missing.
    fn until_dead_at_once(&self) -> Result<(), Failed> {
        let (took, why) = self.cut()?;
        if took < UNMISSED && why.contains("is dead") {
            return Ok(());
        }
        Err(self.told(&format!("taken after {took:?}: {why}")))
    }

    /// A failure, with what the daemons logged.
    fn told(&self, why: &str) -> Failed {
        format!("{why}\n--- a\n{}\n--- b\n{}", self.daemons[0].log(), self.daemons[1].log()).into()
    }
}

/// A node's mainstay.toml.
fn file(host: usize, key: Option<&str>) -> String {
    let proof = key.map(|key| format!("[detection]\nauthentication = {{ key = \"{key}\" }}\n\n"));
    format!(
        "version = 1\n\n{}[[virtual_router]]\nname = \"VI_1\"\nvrid = 51\nlink = \"eth0\"\npriority = {}\n\
         addresses = [\"{ADDRESS}/24\"]\n",
        proof.unwrap_or_default(),
        PRIORITIES[host]
    )
}
