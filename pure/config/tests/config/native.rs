//! mainstay's own language: values, faults, and the table of keys.

use mainstay_config::native::{self, Section, reference};
use mainstay_config::{Loaded, Severity};

use crate::support::{Files, lines};

fn load(text: &str) -> Loaded {
    let key = "correct horse battery staple, and more\n";
    let files = Files::default().with("m.toml", text).with("/etc/mainstay/web.key", key);
    native::load("m.toml", &mut { files })
}

const ROUTER: &str = "version = 1\n[[virtual_router]]\nname = \"a\"\nvrid = 1\nlink = \"eth0\"\naddresses = [\"192.0.2.1/24\"]\n";

#[test]
fn a_short_file_has_the_defaults_of_the_rfc() {
    let settings = load(ROUTER).settings.expect("the file is sound");
    let text = native::write(&settings);
    assert_eq!(
        text,
        "version = 1\n\n[[virtual_router]]\nname = \"a\"\nvrid = 1\nlink = \"eth0\"\nversion = 3\n\
         family = \"ipv4\"\npriority = 100\nadvertisement_interval = \"1s\"\n\
         addresses = [\"192.0.2.1/24\"]\n"
    );
}

#[test]
fn faults_are_told_all_at_once_at_their_places() {
    for (more, expected) in [
        ("vrid = 2\n", "error 7:1 toml/syntax"),
        ("priorty = 2\n", "error 7:1 key/unknown"),
        ("priority = 0\n", "error 7:12 value/out-of-range"),
        ("priority = \"1\"\n", "error 7:12 value/bad"),
        ("advertisement_interval = \"1\"\n", "error 7:26 value/bad"),
        ("advertisement_interval = \"41s\"\n", "error 7:26 value/out-of-range"),
        ("version = 2\nadvertisement_interval = \"1500ms\"\n", "error 8:26 value/out-of-range"),
        ("password = \"x\"\n", "error 7:12 vrrp/authentication-version"),
        ("version = 2\npassword = \"123456789\"\n", "error 8:12 vrrp/long-password"),
        ("hmac = {}\n", "error 7:8 vrrp/hmac-key"),
        ("hmac = { keys = [{ id = 1, key = \"short\" }] }\n", "error 7:34 vrrp/hmac-key"),
        ("hmac = { keys = [{ id = 1, key_file = \"/no\" }] }\n", "error 7:39 vrrp/hmac-key"),
        ("hmac = { keys = [{ id = 1 }] }\n", "error 7:18 vrrp/hmac-key"),
        ("hmac = { time_window = \"6min\" }\n", "error 7:24 value/out-of-range"),
        ("version = 2\npassword_hex = \"3\"\n", "error 8:16 value/bad"),
        ("excluded = [\"192.0.2.1/24\"]\n", "error 7:13 address/duplicate"),
        ("excluded = [\"192.0.2.1/33\"]\n", "error 7:13 value/bad"),
        ("excluded = [{ address = \"192.0.2.2\", lnk = 1 }]\n", "error 7:38 key/unknown"),
        ("peers = [\"2001:db8::1\"]\n", "error 7:10 vrrp/peer-family"),
        ("peers = [\"192.0.2.2\"]\nmulticast_group = \"224.0.0.18\"\n", "error 8:19 value/bad"),
        ("multicast_group = \"192.0.2.1\"\n", "error 7:19 value/bad"),
        ("preempt = false\npreempt_delay = \"1s\"\n", "error 8:17 vrrp/preempt-conflict"),
        ("track_scripts = [{ script = \"x\" }]\n", "error 7:29 name/unknown"),
        ("track_links = [{ weight = 3 }]\n", "error 7:16 key/missing"),
        ("notify = { active = [] }\n", "error 7:21 value/bad"),
        (
            "[[virtual_router]]\nname = \"a\"\nvrid = 2\nlink = \"eth0\"\n",
            "error 7:1 name/duplicate",
        ),
        (
            "[[virtual_router]]\nname = \"b\"\nvrid = 1\nlink = \"eth0\"\n",
            "error 9:8 vrrp/duplicate-vrid",
        ),
        (
            "[[virtual_router]]\nname = \"b\"\nvrid = 1\nlink = \"eth1\"\n",
            "warning 7:1 vrrp/no-addresses",
        ),
        ("[[sync_group]]\nname = \"g\"\nmembers = [\"b\"]\n", "error 9:12 name/unknown"),
        ("[[sync_group]]\nname = \"g\"\nmembers = [\"a\"]\n", "warning 7:1 group/few-members"),
        (
            "[[script]]\nname = \"s\"\ncommand = [\"/bin/true\"]\ninterval = \"0s\"\n",
            "error 10:12 value/bad",
        ),
        ("addresses = [\n", "error 7:1 toml/syntax"),
    ] {
        let loaded = load(&format!("{ROUTER}{more}"));
        let found = lines(&loaded);
        assert!(found.iter().any(|line| line == expected), "{more}\n{found:?}");
        let refused = loaded.faults.iter().any(|fault| fault.severity == Severity::Error);
        assert_eq!(loaded.settings.is_none(), refused, "{more}");
    }
    for (text, expected) in [
        ("", "error 1:1 toml/version"),
        ("version = 2\n", "error 1:11 value/out-of-range"),
        ("version = 1\nnode = 3\n", "error 2:8 value/bad"),
        ("version = 1\nvirtual_router = 3\n", "error 2:18 value/bad"),
    ] {
        let loaded = load(text);
        assert_eq!(lines(&loaded), [expected], "{text}");
        assert!(loaded.settings.is_none());
    }
}

/// A key beside its id.
const KEY: &str = ", key = \"correct horse battery staple, and more\"";

/// What a section stands in, with its required keys as their examples.
fn wrapped(section: &Section, body: &str) -> String {
    let script = "[[script]]\nname = \"check\"\ncommand = [\"/bin/true\"]\n";
    let web = ROUTER.replace("\"a\"", "\"web\"");
    match section.heading {
        "the file" => body.to_owned(),
        "[node]" => format!("version = 1\n[node]\n{body}"),
        "[[script]]" => format!("version = 1\n[[script]]\n{body}"),
        "[[virtual_router]]" => format!("version = 1\n[[virtual_router]]\n{body}"),
        "[[file]]" => format!("version = 1\n[[file]]\n{body}"),
        "[[process]]" => format!("version = 1\n[[process]]\n{body}"),
        "[telling]" => format!("version = 1\n[telling]\n{body}"),
        "[[fifo]]" => format!("version = 1\n[[fifo]]\n{body}"),
        "[mail]" => format!("version = 1\n[mail]\n{body}"),
        "[dumps]" => format!("version = 1\n[dumps]\n{body}"),
        "[[pacing]]" => format!("version = 1\n[[pacing]]\n{body}"),
        "[[polled_link]]" => format!("version = 1\n[[polled_link]]\n{body}"),
        "[[link_delay]]" => format!("version = 1\n[[link_delay]]\n{body}"),
        "a tracked file" => {
            let file = "[[file]]\nname = \"load\"\npath = \"/run/load\"\n";
            format!("{ROUTER}track_files = [{{ {} }}]\n{file}", inline(body))
        }
        "a tracked process" => {
            let process = "[[process]]\nname = \"web\"\nprocess = [\"nginx\"]\n";
            format!("{ROUTER}track_processes = [{{ {} }}]\n{process}", inline(body))
        }
        "[virtual_router.hmac]" => format!("{ROUTER}[virtual_router.hmac]\n{body}"),
        "a key table" => {
            let key = if body.contains("key") { "" } else { KEY };
            format!("{ROUTER}hmac = {{ keys = [{{ {}{key} }}] }}\n", inline(body))
        }
        "[[sync_group]]" => format!("{web}[[sync_group]]\n{body}"),
        "[sync_group.notify]" => {
            let group = "[[sync_group]]\nname = \"G\"\nmembers = [\"web\"]\n";
            format!("{web}{group}[sync_group.notify]\n{body}")
        }
        "[virtual_router.announce]" => format!("{ROUTER}[virtual_router.announce]\n{body}"),
        "an address table" => format!("{ROUTER}excluded = [{{ {} }}]\n", inline(body)),
        "[fixed]" => format!("version = 1\n[fixed]\n{body}"),
        "a virtual link" => format!("{ROUTER}virtual_links = [{{ {} }}]\n", inline(body)),
        "a peer table" => format!("{ROUTER}peers = [{{ {} }}]\n", inline(body)),
        "a tracked link" => format!("{ROUTER}track_links = [{{ {} }}]\n", inline(body)),
        "a tracked script" => {
            format!("{ROUTER}track_scripts = [{{ {} }}]\n{script}", inline(body))
        }
        "a tracked session" => {
            let session = "[[bfd]]\nname = \"uplink\"\npeer = \"192.0.2.254\"\n";
            format!("{ROUTER}track_sessions = [{{ {} }}]\n{session}", inline(body))
        }
        "[detection]" => format!("{ROUTER}[detection]\n{body}"),
        "[[bfd]]" => format!("{ROUTER}[[bfd]]\n{body}"),
        "an authentication table" => {
            let key = if body.contains("key = ") || body.contains("key_hex") {
                ""
            } else {
                ", key = \"k\""
            };
            format!("{ROUTER}[detection]\nauthentication = {{ {}{key} }}\n", inline(body))
        }
        "a command table" => format!("{ROUTER}notify = {{ any = {{ {} }} }}\n", inline(body)),
        _ => format!("{ROUTER}[virtual_router.notify]\n{body}"),
    }
}

fn inline(body: &str) -> String {
    body.trim().replace('\n', ", ")
}

#[test]
fn every_example_of_the_reference_is_accepted() {
    for section in reference() {
        for key in section.keys {
            let required = section.keys.iter().filter(|other| other.default == "required");
            let mut body = format!("{} = {}\n", key.name, key.example);
            for other in required.filter(|other| other.name != key.name) {
                body += &format!("{} = {}\n", other.name, other.example);
            }
            // What a key needs beside it.
            body += match (section.heading, key.name) {
                ("[[virtual_router]]", "password" | "password_hex") => "version = 2\n",
                ("[[virtual_router]]", "ttl") => "peers = [\"192.0.2.2\"]\n",
                ("[[virtual_router]]", "speaks_on") => "virtual_links = [{ name = \"vrrp.51\" }]\n",
                ("a tracked script", "reverse") => "weight = 3\n",
                _ => "",
            };
            if section.heading == "an address table" && key.name != "address" {
                body = body.replace("192.0.2.1/24", "192.0.2.3/24");
            }
            if section.heading == "an address table" && key.name == "address" {
                body = body.replace("192.0.2.1/24", "192.0.2.4/24");
            }
            let text = wrapped(section, &body);
            let loaded = load(&text);
            let bad: Vec<&String> = loaded
                .faults
                .iter()
                .filter(|fault| fault.severity == Severity::Error)
                .map(|fault| &fault.message)
                .collect();
            assert!(bad.is_empty(), "{text}\n{bad:?}");
        }
    }
}
