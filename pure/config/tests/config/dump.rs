//! The real keepalived shows with `-d` what it makes of a file; we make the same of it.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mainstay_engine::vrrp::{Announce, Preempt, RouterSettings, StartAs, Version, VirtualAddress};

use crate::support::{load, load_sample};

/// What keepalived 2.2.7 says of one instance, as `name = value` lines, and its addresses.
type Shown = BTreeMap<String, String>;

/// Runs keepalived in a network namespace of its own for a moment; none if that cannot be done.
fn shown_by_keepalived(text: &str) -> Option<BTreeMap<String, Shown>> {
    static FILES: AtomicUsize = AtomicUsize::new(0);
    let number = FILES.fetch_add(1, Ordering::Relaxed);
    let name = format!("mainstay-dump-{}-{number}.conf", std::process::id());
    let file = std::env::temp_dir().join(name);
    std::fs::write(&file, text).expect("a file of our own");
    // It is ended once it has shown all that is compared, and the namespaces end with it.
    let script = "set -e; ip link set lo up; ip link add eth0 type veth peer name eth1; \
        ip link set eth0 up; ip link set eth1 up; ip addr add 192.0.2.10/24 dev eth0; \
        ip addr add 192.0.2.11/24 dev eth1; mount -t tmpfs none /run; \
        keepalived -n -l -d -P -f \"$1\" -p /run/k -r /run/v > /run/shown 2>&1 & \
        for look in $(seq 200); do \
            if grep -q '< Interfaces >' /run/shown || ! kill -0 $!; then break; fi; sleep 0.1; \
        done; kill $! || true; cat /run/shown";
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child"])
        .args(["sh", "-c", script, "sh"])
        .arg(&file)
        .output();
    std::fs::remove_file(&file).expect("our own file");
    let output = output.map_err(|why| eprintln!("NOT TESTED: unshare: {why}")).ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    text.contains("VRRP Topology").then(|| parse(&text)).or_else(|| {
        eprintln!("NOT TESTED: keepalived, unshare or ip is absent or not permitted:\n{text}");
        None
    })
}

fn parse(text: &str) -> BTreeMap<String, Shown> {
    let mut instances = BTreeMap::new();
    let mut current: Option<(String, Shown)> = None;
    let mut list = "";
    let topology = text.lines().skip_while(|line| !line.contains("VRRP Topology"));
    for line in topology.take_while(|line| !line.contains("< Interfaces >")) {
        // Each line bears the date before its text.
        let Some((_, line)) = line.split_once(": ") else { continue };
        if let Some(name) = line.trim().strip_prefix("VRRP Instance = ") {
            instances.extend(current.replace((name.to_owned(), Shown::new())));
            continue;
        }
        let Some((_, shown)) = &mut current else { continue };
        if let Some((key, value)) = line.trim().split_once(" = ") {
            shown.entry(key.to_owned()).or_insert(value.to_owned());
        } else if line.trim().starts_with("Virtual IP") {
            list = if line.contains("Excluded") { "excluded" } else { "addresses" };
        } else if line.starts_with("     ") && !list.is_empty() {
            let address = line.split_whitespace().next().unwrap_or("");
            let addresses: &mut String = shown.entry(list.to_owned()).or_default();
            *addresses += &format!("{address} ");
        }
        if !line.starts_with("     ") && !line.trim().starts_with("Virtual IP") {
            list = "";
        }
    }
    instances.extend(current);
    instances
}

/// The same lines for one of our routers.
fn ours(router: &RouterSettings) -> Shown {
    let interval = u32::from(router.advertisement_interval.0);
    let (version, interval) = match router.version {
        Version::V2 => ("2", format!("{} sec", interval / 100)),
        Version::V3 => ("3", format!("{} milli-sec", interval * 10)),
    };
    let state = match router.start_as {
        StartAs::Active => "MASTER",
        StartAs::Backup => "BACKUP",
    };
    let delay = match router.preempt {
        Preempt::After(delay) if !delay.is_zero() => format!("{} secs", delay.as_secs()),
        Preempt::After(_) | Preempt::Never => String::new(),
    };
    let password = router.authentication.password().map(|password| password.0).unwrap_or_default();
    let password = String::from_utf8_lossy(&password).trim_end_matches('\0').to_owned();
    let enabled = |flag| if flag { "enabled" } else { "disabled" }.to_owned();
    let lines = [
        ("VRRP Version", version.to_owned()),
        ("Wantstate", state.to_owned()),
        ("Interface", router.link.to_string()),
        ("Virtual Router ID", router.vrid.to_string()),
        ("Priority", router.priority.to_string()),
        ("Advert interval", interval),
        ("Accept", enabled(router.kernel.accept)),
        ("Preempt", enabled(router.preempt != Preempt::Never)),
        ("Preempt delay", delay),
        ("Password", password),
        ("Down timer adverts", router.down_intervals.to_string()),
        (
            "Send advert after receive lower priority advert",
            (!router.hearing.ignore_lower_priority).to_string(),
        ),
        (LAST_WORD, router.hearing.answer_higher_priority.to_string()),
        ("addresses", addresses(&router.addresses)),
        ("excluded", addresses(&router.excluded)),
    ];
    let lines = lines.into_iter().chain(announcing(&router.announce));
    lines
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

fn announcing(announce: &Announce) -> [(&'static str, String); 6] {
    let seconds = |length: Duration| length.as_secs().to_string();
    [
        ("Gratuitous ARP delay", seconds(announce.delay)),
        ("Gratuitous ARP repeat", announce.repeat.to_string()),
        ("Gratuitous ARP refresh", seconds(announce.refresh)),
        ("Gratuitous ARP refresh repeat", announce.refresh_repeat.to_string()),
        ("Gratuitous ARP lower priority delay", seconds(announce.lower_priority_delay)),
        ("Gratuitous ARP lower priority repeat", announce.lower_priority_repeat.to_string()),
    ]
}

fn addresses(list: &[VirtualAddress]) -> String {
    let shown = list.iter().map(|address| {
        let address = address.key.address;
        let host = address.prefix_len() == address.family().bits();
        if host { format!("{} ", address.ip()) } else { format!("{address} ") }
    });
    shown.collect()
}

/// On by default, unlike keepalived's (decision 0014).
const LAST_WORD: &str = "Send advert after receive higher priority advert";

fn is_silenced(text: &str) -> bool {
    text.contains("higher_prio_send_advert off") || text.contains("higher_prio_send_advert false")
}

fn is_strict(text: &str) -> bool {
    text.lines().any(|line| line.trim() == "vrrp_strict")
}

/// Compares every line that we show; keepalived shows more. Says how many instances there were.
fn compare(text: &str) -> usize {
    let Some(theirs) = shown_by_keepalived(text) else { return 0 };
    let loaded = load(text);
    let settings = loaded.settings.expect("the text is accepted");
    let names: Vec<&str> =
        settings.vrrp.routers.iter().map(|router| router.name.as_str()).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, theirs.keys().map(String::as_str).collect::<Vec<_>>(), "{text}");
    for router in &settings.vrrp.routers {
        let theirs = &theirs[router.name.as_str()];
        for (key, value) in ours(router) {
            let theirs = theirs.get(&key).map(String::as_str);
            if key == LAST_WORD && theirs == Some("false") && !is_silenced(text) {
                assert!(value == "true" || is_strict(text), "{key} in\n{text}");
                continue;
            }
            assert_eq!(theirs, Some(value.as_str()), "{key} of {} in\n{text}", router.name);
        }
        for key in ["Password", "Preempt delay", "addresses", "excluded"] {
            assert_eq!(
                theirs.contains_key(key),
                ours(router).contains_key(key),
                "{key} of {} in\n{text}",
                router.name
            );
        }
    }
    settings.vrrp.routers.len()
}

#[test]
fn keepalived_makes_the_same_of_instances() {
    compare(include_str!("../data/instances.conf"));
}

#[test]
fn keepalived_makes_the_same_of_strict_instances() {
    compare(include_str!("../data/strict.conf"));
}

#[test]
fn keepalived_makes_the_same_of_definitions_and_odd_lines() {
    compare(include_str!("../data/lexer.conf"));
}

#[test]
fn keepalived_makes_the_same_of_the_articles() {
    for name in ["gre.conf", "hot-standby-one.conf", "hot-standby-two.conf"] {
        let path = format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).expect("the test's own file is there");
        let text =
            text.replace("gretap1", "eth1").replace("ens38", "eth0").replace("ens39", "eth1");
        assert!(load_sample(name).settings.is_some());
        compare(&text.replace("enp0s8", "eth0").replace("enp0s9", "eth1"));
    }
}
