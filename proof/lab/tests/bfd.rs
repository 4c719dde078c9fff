//! Sessions with programs that others wrote: FRR's bfdd and keepalived's `bfd_instance`.

use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use mainstay_api::{Session, SessionState};
use mainstay_lab::cluster::{Cluster, Layout, Plug};
use mainstay_lab::daemon::Daemon;
use mainstay_lab::directory::Directory;
use mainstay_lab::frr::{self, Bfdd};
use mainstay_lab::program::Program;
use mainstay_lab::wait;

const BOUND: Duration = Duration::from_secs(20);
const ADDRESS: &str = "192.0.2.100";

/// The peers' addresses, IPv4 and IPv6, on hosts 0 and 1.
const OWN: [[&str; 2]; 2] = [["192.0.2.11", "2001:db8::11"], ["192.0.2.12", "2001:db8::12"]];

fn main() -> ExitCode {
    let ready = mainstay_lab::permission().map_err(|reason| reason.to_string());
    let ready = ready.and_then(|()| {
        let directory = Directory::make().map_err(|error| error.to_string())?;
        let admitted = mainstay_lab::own_mounts().and_then(|()| frr::admit(&directory));
        admitted.map(|()| directory).map_err(|error| error.to_string())
    });
    let directory = match ready {
        Ok(directory) => directory,
        Err(reason) => {
            eprintln!("the sessions need network namespaces and FRR: {reason}");
            return ExitCode::FAILURE;
        }
    };
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(2);
    let trials = vec![
        Trial::test("bfdd_is_watched_and_its_death_is_noticed", bfdd),
        Trial::test("keepalived_is_watched_and_its_death_is_noticed", keepalived),
    ];
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(directory);
    conclusion.exit_code()
}

/// Two hosts on a link.
fn pair() -> Result<Cluster, Failed> {
    let host = |name, [four, six]: [&str; 2]| {
        let addresses = [format!("{four}/24"), format!("{six}/64")];
        Layout::new(name, Plug::new("eth0", 0, &[&addresses[0], &addresses[1]]))
    };
    Ok(Cluster::build(vec![host("a", OWN[0]), host("b", OWN[1])])?)
}

/// Sessions with the other host, 40 ms and three packets, and a router that is only fit while
/// the first of them is up.
fn file(host: usize) -> String {
    let session = |(name, family): (&str, usize)| {
        let (local, remote) = (OWN[host][family], OWN[1 - host][family]);
        format!(
            "bfd_instance {name} {{\n source_ip {local}\n neighbor_ip {remote}\n min_tx 40\n \
             min_rx 40\n multiplier 3\n}}\n"
        )
    };
    let sessions: String = [("FOUR", 0), ("SIX", 1)].map(session).concat();
    format!(
        "{sessions}vrrp_instance VI_1 {{\n interface eth0\n version 3\n advert_int 0.2\n \
         virtual_router_id 51\n priority 150\n track_bfd {{\n FOUR\n }}\n virtual_ipaddress {{\n \
         {ADDRESS}/24\n }}\n}}\n"
    )
}

/// mainstay on the first host, and what it says.
struct Watcher {
    daemon: Daemon,
}

impl Watcher {
    fn start(cluster: &Cluster) -> Result<Watcher, Failed> {
        Ok(Watcher { daemon: Daemon::start(cluster, 0, Program::Mainstay, &file(0))? })
    }

    fn sessions(&self, cluster: &Cluster) -> Vec<Session> {
        let status = self.daemon.status(cluster.host(0));
        status.map(|status| status.detection.sessions).unwrap_or_default()
    }

    /// Waits until both sessions stand there, and returns them.
    fn until(&self, cluster: &Cluster, state: SessionState) -> Result<Vec<Session>, Failed> {
        let stand = || {
            let sessions = self.sessions(cluster);
            let there = sessions.iter().filter(|session| session.state == state).count();
            (there == 2).then_some(sessions)
        };
        wait::until_some(&format!("both sessions {state:?}"), BOUND, stand).map_err(|error| {
            let (sessions, log) = (self.sessions(cluster), self.daemon.log());
            format!("{error}: {sessions:#?}\n{log}").into()
        })
    }

    /// Waits until the tracking router holds its address, or does not.
    fn until_held(&self, cluster: &Cluster, held: bool) -> Result<(), Failed> {
        let address = ADDRESS.parse().expect("an address");
        let is = || cluster.host(0).holds(address).is_ok_and(|holds| holds == held);
        let what = if held { "the router being Active" } else { "the router being unfit" };
        wait::until(what, BOUND, is)
            .map_err(|error| format!("{error}\n{}", self.daemon.log()).into())
    }
}

fn fell_silent(session: &Session) -> bool {
    session.last_down.as_ref().is_some_and(|down| down.cause == "silent")
}

fn bfdd() -> Result<(), Failed> {
    let cluster = pair()?;
    let peer = |family: usize| {
        let (local, remote) = (OWN[1][family], OWN[0][family]);
        format!(
            " peer {remote} local-address {local}\n  detect-multiplier 4\n  receive-interval 50\n  \
             transmit-interval 60\n  no shutdown\n !\n"
        )
    };
    let peers = [0, 1].map(peer).concat();
    let watcher = Watcher::start(&cluster)?;
    let other = Bfdd::start(&cluster, 1, &peers)?;
    for session in watcher.until(&cluster, SessionState::Up)? {
        // It sends every 60 ms, which is more than the 40 that we could take, four times.
        assert_eq!(session.detection_us, Some(240_000), "{session:#?}");
        // We send as it can take, every 50 ms.
        assert_eq!(session.interval_us, Some(50_000), "{session:#?}");
    }
    watcher.until_held(&cluster, true)?;
    let agreed = || {
        let peers = other.peers(cluster.host(1)).ok()?;
        (peers.len() == 2 && peers.iter().all(|peer| peer.up)).then_some(peers)
    };
    for peer in wait::until_some("bfdd's sessions", BOUND, agreed)? {
        let told = (peer.remote_transmit_ms, peer.remote_receive_ms, peer.remote_multiplier);
        assert_eq!(told, (40, 40, 3), "{peer:?}");
    }
    other.kill()?;
    let sessions = watcher.until(&cluster, SessionState::Down)?;
    assert!(sessions.iter().all(fell_silent), "{sessions:#?}");
    watcher.until_held(&cluster, false)?;
    let _again = Bfdd::start(&cluster, 1, &peers)?;
    watcher.until(&cluster, SessionState::Up)?;
    watcher.until_held(&cluster, true)
}

/// keepalived's BFD process beside its router, which has the lower right to the address.
fn keepalived() -> Result<(), Failed> {
    let cluster = pair()?;
    let theirs =
        file(1).replace("priority 150", "priority 50").replace("track_bfd {\n FOUR\n }", "");
    let watcher = Watcher::start(&cluster)?;
    let other = Daemon::start(&cluster, 1, Program::Keepalived, &theirs)?;
    for session in watcher.until(&cluster, SessionState::Up)? {
        assert_eq!(session.detection_us, Some(120_000), "{session:#?}");
    }
    watcher.until_held(&cluster, true)?;
    drop(other);
    let sessions = watcher.until(&cluster, SessionState::Down)?;
    assert!(sessions.iter().all(fell_silent), "{sessions:#?}");
    watcher.until_held(&cluster, false)
}
