//! What the kernel or the machine refuses: told with object, reason and remedy, and got over.

mod suite;

use std::net::IpAddr;
use std::process::{Command, ExitCode, Output, Stdio};
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use mainstay_api::{Router, State};
use mainstay_lab::cluster::Cluster;
use mainstay_lab::daemon::Daemon;
use mainstay_lab::drill;
use mainstay_lab::program::Program;
use mainstay_lab::wait;

const BOUND: Duration = Duration::from_secs(20);
const ADDRESS: &str = "2001:db8::100";

fn main() -> ExitCode {
    let trials = vec![
        Trial::test("an_address_that_stands_in_the_way_is_told_and_waited_for", in_the_way),
        Trial::test("a_link_that_is_not_there_yet_is_told_and_waited_for", not_there_yet),
        Trial::test("a_capability_that_is_missing_is_named_at_the_start", no_capability),
    ];
    suite::run(2, trials)
}

fn file(link: &str) -> String {
    format!(
        "vrrp_instance VI_6 {{\n version 3\n advert_int 0.2\n interface {link}\n \
         virtual_router_id 51\n priority 200\n virtual_ipaddress {{\n \
         fe80::5eff:fe00:233/64\n {ADDRESS}/64\n }}\n}}\n"
    )
}

/// The machines of a drill, with one mainstay on the first.
struct Alone {
    daemon: Daemon,
    cluster: Cluster,
}

impl Alone {
    fn cluster() -> Result<Cluster, Failed> {
        let v3 = drill::named("v3").expect("the table has it");
        Ok(Cluster::build((v3.layout)())?)
    }

    fn start(cluster: Cluster, link: &str) -> Result<Alone, Failed> {
        let daemon = Daemon::start(&cluster, 0, Program::Mainstay, &file(link))?;
        Ok(Alone { daemon, cluster })
    }

    fn until(&self, what: &str, ask: impl Fn(&Router) -> bool) -> Result<(), Failed> {
        let is = || {
            let status = self.daemon.status(self.cluster.host(0));
            status.is_ok_and(|status| status.routers.first().is_some_and(&ask))
        };
        wait::until(what, BOUND, is).map_err(|e| format!("{e}\n{}", self.daemon.log()).into())
    }

    fn lines_with(&self, words: &str) -> Vec<String> {
        let log = self.daemon.log();
        log.lines().filter(|line| line.contains(words)).map(str::to_owned).collect()
    }
}

/// IPv6 has an address once on a link: another prefix length does not make it another one.
fn in_the_way() -> Result<(), Failed> {
    let cluster = Alone::cluster()?;
    let other = format!("{ADDRESS}/128").parse()?;
    cluster.host(0).links()?.add_address("eth0", other)?;
    let alone = Alone::start(cluster, "eth0")?;
    alone.until("its turn, without the address", |router| {
        let absent = |a: &mainstay_api::Address| a.address.starts_with(ADDRESS) && !a.present;
        router.state == State::Active && router.addresses.iter().any(absent)
    })?;
    let host = alone.cluster.host(0);
    let refused = || alone.daemon.status(host).ok()?.refused.into_iter().find(|r| r.tries >= 2);
    let told = wait::until_some("the second refusal", BOUND, refused)
        .map_err(|error| format!("{error}\n{}", alone.daemon.log()))?;
    assert!(told.step.contains(ADDRESS) && told.step.contains("eth0"), "{told:?}");
    assert!(!told.reason.is_empty() && told.remedy.contains("prefix length"), "{told:?}");
    let said = || !alone.lines_with("the kernel refuses").is_empty();
    wait::until("a line about it", BOUND, said)?;
    let lines = alone.lines_with("the kernel refuses");
    assert!(lines.iter().all(|line| line.contains(ADDRESS)), "{lines:?}");
    // One line for each try: the back-off bounds them.
    assert!((1..=usize::try_from(told.tries)? + 1).contains(&lines.len()), "{lines:?}");
    host.links()?.remove_address("eth0", other)?;
    alone.until("the address", |router| router.addresses.iter().all(|a| a.present))?;
    assert!(host.holds(ADDRESS.parse::<IpAddr>()?)?);
    let over = || alone.daemon.status(host).is_ok_and(|status| status.refused.is_empty());
    wait::until("the end of the refusal", BOUND, over)?;
    wait::until("a line about it", BOUND, || !alone.lines_with("the kernel took").is_empty())?;
    assert_eq!(alone.lines_with("the kernel took").len(), 1, "{}", alone.daemon.log());
    Ok(())
}

fn not_there_yet() -> Result<(), Failed> {
    let alone = Alone::start(Alone::cluster()?, "lan7")?;
    let names_it = |router: &Router| router.state == State::Fault && router.why.contains("lan7");
    alone.until("a fault that names the link", names_it)?;
    let host = alone.cluster.host(0);
    let mut links = host.links()?;
    links.set_down("eth0")?;
    links.rename("eth0", "lan7")?;
    links.set_up("lan7")?;
    alone.until("its turn", |router| router.state == State::Active)?;
    alone.until("its addresses", |router| router.addresses.iter().all(|a| a.present))?;
    assert!(host.holds(ADDRESS.parse::<IpAddr>()?)?);
    Ok(())
}

fn no_capability() -> Result<(), Failed> {
    let cluster = Alone::cluster()?;
    for name in ["NET_ADMIN", "NET_RAW"] {
        let folder = cluster.directory().inside(name)?;
        let path = folder.join("keepalived.conf");
        std::fs::write(&path, file("eth0"))?;
        let without = format!("-{}", name.to_lowercase());
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set", &without, "--inh-caps", &without, "--"]);
        command.arg(Program::Mainstay.path()?).arg("--runtime-dir").arg(folder.join("run"));
        command.args(["run", "--keepalived"]).arg(path).stdin(Stdio::null());
        let output = cluster.host(0).namespace().run(|| bounded(command))??;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(output.status.code(), Some(4), "{said}");
        assert!(said.contains(&format!("CAP_{name}")), "{said}");
    }
    Ok(())
}

/// Runs a program that must end by itself; one that does not is killed.
fn bounded(mut command: Command) -> std::io::Result<Output> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let ended = || matches!(child.try_wait(), Ok(Some(_)));
    if let Err(error) = wait::until("the end of a daemon that may not run", BOUND, ended) {
        child.kill()?;
        let output = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(std::io::Error::other(format!("{error}: {said}")));
    }
    child.wait_with_output()
}
