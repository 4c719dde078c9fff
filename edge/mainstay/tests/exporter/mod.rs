//! Reads dump files by the rules of exporters for Prometheus that run beside keepalived.
//!
//! They are written in Go and come in no registry of packages, so that the rules stand here: how they tell the
//! blocks of a dump, which lines they use, which words and numbers they accept. Whatever they would stop at
//! is a fault.

use std::collections::BTreeMap;

use libtest_mimic::Failed;
use serde_json::Value;

/// What an exporter makes of a virtual router.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instance {
    pub state: String,
    pub wanted: String,
    pub interface: String,
    pub vrid: i64,
    pub announced_after: i64,
    /// Each virtual address and its link.
    pub addresses: Vec<(String, String)>,
}

/// What it makes of a tracked script: its status and its state.
pub type Script = (String, String);

/// Numbers by section and label.
pub type Counters = BTreeMap<(String, String), i64>;

const STATES: [&str; 4] = ["INIT", "BACKUP", "MASTER", "FAULT"];
const STATUSES: [&str; 2] = ["BAD", "GOOD"];
const SCRIPT_STATES: [&str; 4] =
    ["idle", "running", "requested termination", "forcing termination"];

/// The numbers of an instance in JSON.
const STATISTICS: [&str; 14] = [
    "advert_rcvd",
    "advert_sent",
    "become_master",
    "release_master",
    "packet_len_err",
    "advert_interval_err",
    "ip_ttl_err",
    "invalid_type_rcvd",
    "addr_list_err",
    "invalid_authtype",
    "authtype_mismatch",
    "auth_failure",
    "pri_zero_rcvd",
    "pri_zero_sent",
];

/// The virtual routers of `keepalived.data`.
pub fn instances(text: &str) -> Result<BTreeMap<String, Instance>, Failed> {
    let mut found = BTreeMap::<String, Instance>::new();
    let (mut current, mut key) = (None::<String>, String::new());
    for line in text.lines() {
        if line.starts_with(" VRRP Instance") && line.contains('=') {
            let name = halves(line, '=')?.1;
            found.insert(name.clone(), Instance::default());
            current = Some(name);
            continue;
        }
        if line.starts_with(" VRRP Version") || line.starts_with(" VRRP Script") {
            continue;
        }
        let block = line.starts_with("   ").then_some(current.as_ref()).flatten();
        let Some(instance) = block.and_then(|name| found.get_mut(name)) else {
            current = None;
            continue;
        };
        let value = if line.starts_with("     ") {
            line.trim().to_owned()
        } else if let Ok((label, value)) = halves(line, '=').or_else(|_| halves(line, ':')) {
            key = label;
            value
        } else {
            continue;
        };
        instance.take(&key, value)?;
    }
    Ok(found)
}

impl Instance {
    fn take(&mut self, key: &str, value: String) -> Result<(), Failed> {
        match key {
            "State" => self.state = one_of(&STATES, value)?,
            "Wantstate" => self.wanted = one_of(&STATES, value)?,
            "Interface" | "Listening device" => self.interface = value,
            "Virtual Router ID" => self.vrid = value.parse()?,
            "Gratuitous ARP delay" => self.announced_after = value.parse()?,
            key if key == "Virtual IP" || key.starts_with("Virtual IP (") => {
                // What stands beside the label is a count, where something does.
                self.addresses.extend(address(&value));
            }
            _ => {}
        }
        Ok(())
    }
}

/// The first word, and the third, which is the link.
fn address(text: &str) -> Option<(String, String)> {
    let words: Vec<&str> = text.split(' ').collect();
    Some(((*words.first()?).to_owned(), (*words.get(2)?).to_owned()))
}

/// The tracked scripts of `keepalived.data`.
pub fn scripts(text: &str) -> Result<BTreeMap<String, Script>, Failed> {
    let mut found = BTreeMap::<String, Script>::new();
    let mut current = None;
    for line in text.lines() {
        if line.starts_with(" VRRP Script") && line.contains('=') {
            let name = halves(line, '=')?.1;
            found.insert(name.clone(), Script::default());
            current = Some(name);
        } else if line.starts_with("   ") {
            let script = current.as_ref().and_then(|name| found.get_mut(name));
            let (Some(script), Ok((key, value))) = (script, halves(line, '=')) else { continue };
            match key.as_str() {
                "Status" => script.0 = one_of(&STATUSES, value)?,
                "State" => script.1 = one_of(&SCRIPT_STATES, value)?,
                _ => {}
            }
        } else {
            current = None;
        }
    }
    Ok(found)
}

/// The counters of `keepalived.stats`, for each virtual router.
pub fn statistics(text: &str) -> Result<BTreeMap<String, Counters>, Failed> {
    let mut found = BTreeMap::<String, Counters>::new();
    let (mut name, mut section) = (String::new(), String::new());
    for line in text.lines() {
        if line.starts_with("VRRP Instance") && line.contains(':') {
            name = halves(line, ':')?.1;
            found.insert(name.clone(), Counters::new());
            continue;
        }
        if !line.starts_with("  ") {
            continue;
        }
        if let Some(title) = line.strip_suffix(':') {
            title.trim().clone_into(&mut section);
            continue;
        }
        if !line.starts_with("    ") {
            section.clear();
        }
        let (label, value) = halves(line, ':')?;
        let counters = found.get_mut(&name).ok_or("a number before the first instance")?;
        counters.insert((section.clone(), label), value.parse()?);
    }
    Ok(found)
}

/// The virtual routers of `keepalived.json`; a number that is none is a fault.
pub fn json(text: &str) -> Result<BTreeMap<String, Instance>, Failed> {
    let parsed: Value = serde_json::from_str(text)?;
    let routers = parsed.as_array().ok_or("it is no list")?;
    routers.iter().map(router).collect()
}

fn router(router: &Value) -> Result<(String, Instance), Failed> {
    let data = &router["data"];
    let text = |key: &str| data[key].as_str().map(str::to_owned).ok_or(format!("{key} is no text"));
    let number = |key: &str| data[key].as_i64().ok_or(format!("{key} is no number"));
    let state = |key: &str| -> Result<String, Failed> {
        let place = usize::try_from(number(key)?)?;
        Ok((*STATES.get(place).ok_or("no such state")?).to_owned())
    };
    for key in STATISTICS {
        router["stats"][key].as_i64().ok_or(format!("{key} is no number"))?;
    }
    let addresses = data["vips"].as_array().ok_or("vips is no list")?;
    let instance = Instance {
        state: state("state")?,
        wanted: state("wantstate")?,
        interface: text("ifp_ifname")?,
        vrid: number("vrid")?,
        announced_after: number("garp_delay")?,
        addresses: addresses.iter().filter_map(Value::as_str).filter_map(address).collect(),
    };
    Ok((text("iname")?, instance))
}

fn halves(line: &str, at: char) -> Result<(String, String), Failed> {
    let (label, value) = line.trim().split_once(at).ok_or_else(|| format!("no `{at}`: {line}"))?;
    let value = value.split(at).next().unwrap_or_default();
    Ok((label.trim().to_owned(), value.trim().to_owned()))
}

fn one_of(known: &[&str], word: String) -> Result<String, Failed> {
    let is_known = known.contains(&word.as_str());
    is_known.then_some(word.clone()).ok_or_else(|| format!("`{word}` is none of {known:?}").into())
}
