//! What a host's packet filters do: the rules of `nft -j`, tried on samples of packets.
//!
//! Two programs write different tables for the same purpose, so that their rules cannot be compared. Their verdicts can: a
//! sample goes through all chains of its hook, in the kernel's order. What is not understood is an error.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::process::Command;

use serde_json::Value;

use crate::cluster::Host;
use crate::snapshot::Lines;

/// Far ends of samples, one of each family.
const CLIENTS: [&str; 2] = ["192.0.2.9", "2001:db8::9"];

/// What a link says of itself: protocol, ICMPv6 type, from and to.
const OWN_WORDS: [(&str, Option<u8>, &str, &str); 3] = [
    ("igmp", None, "192.0.2.1", "224.0.0.22"),
    ("ipv6-icmp", Some(143), "fe80::9", "ff02::16"),
    ("ipv6-icmp", Some(133), "fe80::9", "ff02::2"),
];

/// What comes and goes between a client and an address.
const PROTOCOLS: [(&str, Option<u8>); 6] = [
    ("tcp", None),
    ("udp", None),
    ("icmp", None),
    ("ipv6-icmp", Some(128)),
    ("ipv6-icmp", Some(135)),
    ("ipv6-icmp", Some(136)),
];

/// ICMPv6 types by nft's names.
const TYPES: [(&str, u8); 9] = [
    ("echo-request", 128),
    ("mld-listener-query", 130),
    ("mld-listener-report", 131),
    ("nd-router-solicit", 133),
    ("nd-router-advert", 134),
    ("nd-neighbor-solicit", 135),
    ("nd-neighbor-advert", 136),
    ("nd-redirect", 137),
    ("mld2-listener-report", 143),
];

/// A packet that is tried.
#[derive(Clone, Debug)]
struct Sample {
    hook: &'static str,
    protocol: &'static str,
    icmp_type: Option<u8>,
    source: IpAddr,
    destination: IpAddr,
    link: String,
    /// Of the link: `macvlan`.
    kind: String,
}

/// What becomes of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Passes,
    Dropped,
}

/// Which samples to and from these addresses do not simply pass, and what becomes of them; equal sets mean equal filters.
///
/// # Errors
/// `nft` or `ip` is not there or does not answer, or says something that is not understood.
pub fn take(host: &Host, addresses: &[IpAddr]) -> io::Result<Lines> {
    let told = json(host, "nft", &["-j", "list", "ruleset"])?;
    let links = json(host, "ip", &["-j", "-d", "link", "show"])?;
    let rules = Rules::read(&told);
    let mut lines = Lines::new();
    for sample in samples(addresses, &links) {
        lines.extend(rules.try_on(&sample)?);
    }
    Ok(lines)
}

fn json(host: &Host, program: &str, words: &[&str]) -> io::Result<Value> {
    let output = host.namespace().run(|| Command::new(program).args(words).output())??;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("{program}: {said}")));
    }
    serde_json::from_slice(&output.stdout).map_err(io::Error::other)
}

fn samples(addresses: &[IpAddr], links: &Value) -> Vec<Sample> {
    let mut samples = Vec::new();
    for link in list(links) {
        let name = text(&link["ifname"]).to_owned();
        let kind = text(&link["linkinfo"]["info_kind"]).to_owned();
        let mut add = |hook, (protocol, icmp_type), source, destination| {
            let (link, kind) = (name.clone(), kind.clone());
            samples.push(Sample { hook, protocol, icmp_type, source, destination, link, kind });
        };
        for (protocol, icmp_type, from, to) in OWN_WORDS {
            add("output", (protocol, icmp_type), ip(from), ip(to));
        }
        for address in addresses {
            let client = CLIENTS.map(ip)[usize::from(address.is_ipv6())];
            let fits = |(protocol, _): &&(&str, _)| match *protocol {
                "icmp" => address.is_ipv4(),
                "ipv6-icmp" => address.is_ipv6(),
                _ => true,
            };
            for what in PROTOCOLS.iter().filter(fits) {
                add("input", *what, client, *address);
                add("output", *what, *address, client);
            }
        }
    }
    samples
}

/// All chains, with their rules, and all sets and maps, by family and table.
struct Rules<'t> {
    chains: Vec<&'t Value>,
    rules: Vec<&'t Value>,
    elements: BTreeMap<(String, String), Vec<&'t Value>>,
}

impl<'t> Rules<'t> {
    fn read(told: &'t Value) -> Rules<'t> {
        let all = |kind: &'static str| list(&told["nftables"]).filter_map(move |one| one.get(kind));
        let key = |set: &Value| (place(set), text(&set["name"]).to_owned());
        let sets = all("set").chain(all("map"));
        let elements = sets.map(|set| (key(set), list(&set["elem"]).collect())).collect();
        let mut chains: Vec<&Value> = all("chain").collect();
        chains.sort_by_key(|chain| chain["prio"].as_i64());
        Rules { chains, rules: all("rule").collect(), elements }
    }

    /// The line of a sample that does not simply pass.
    fn try_on(&self, sample: &Sample) -> io::Result<Option<String>> {
        let family = if sample.source.is_ipv4() { "ip" } else { "ip6" };
        let mut instead = None;
        let begins = |chain: &&&Value| {
            let family_fits = chain["family"] == family || chain["family"] == "inet";
            family_fits && chain["hook"] == sample.hook
        };
        let mut verdict = Verdict::Passes;
        for chain in self.chains.iter().filter(begins) {
            let policy = match text(&chain["policy"]) {
                "drop" => Verdict::Dropped,
                _ => Verdict::Passes,
            };
            verdict = self.run(chain, sample, &mut instead)?.unwrap_or(policy);
            if verdict == Verdict::Dropped {
                break;
            }
        }
        let Sample { hook, protocol, icmp_type, source, destination, link, .. } = sample;
        let icmp_type = icmp_type.map(|number| format!(" {number}")).unwrap_or_default();
        let becomes = match (verdict, instead) {
            (Verdict::Passes, None) => return Ok(None),
            (Verdict::Passes, Some(other)) => format!("leaves by {other} as well"),
            (Verdict::Dropped, None) => "dropped".to_owned(),
            (Verdict::Dropped, Some(other)) => format!("leaves by {other} instead"),
        };
        Ok(Some(format!(
            "filter {hook} {protocol}{icmp_type} {source} to {destination} by {link}: {becomes}"
        )))
    }

    /// What a chain says; none if no rule of it decides. `instead`: the link that a copy leaves by.
    fn run(
        &self,
        chain: &Value,
        sample: &Sample,
        instead: &mut Option<String>,
    ) -> io::Result<Option<Verdict>> {
        let here = |rule: &&&Value| place(rule) == place(chain) && rule["chain"] == chain["name"];
        for rule in self.rules.iter().filter(here) {
            for statement in list(&rule["expr"]) {
                let Some((word, what)) = statement.as_object().and_then(|all| all.iter().next())
                else {
                    return Err(odd(statement));
                };
                match word.as_str() {
                    "counter" => {}
                    "match" if self.fits(chain, what, sample)? => {}
                    "match" => break,
                    "accept" => return Ok(Some(Verdict::Passes)),
                    "drop" => return Ok(Some(Verdict::Dropped)),
                    "goto" => return self.run(self.chain(chain, what)?, sample, instead),
                    "jump" => {
                        let verdict = self.run(self.chain(chain, what)?, sample, instead)?;
                        if verdict.is_some() {
                            return Ok(verdict);
                        }
                    }
                    "dup" => match self.mapped(chain, &what["dev"]["map"], sample)? {
                        Some(link) => *instead = Some(link),
                        None => break,
                    },
                    _ => return Err(odd(statement)),
                }
            }
        }
        Ok(None)
    }

    fn chain(&self, from: &Value, target: &Value) -> io::Result<&'t Value> {
        let is_it =
            |chain: &&&Value| place(chain) == place(from) && chain["name"] == target["target"];
        self.chains.iter().find(is_it).copied().ok_or_else(|| odd(target))
    }

    fn fits(&self, chain: &Value, what: &Value, sample: &Sample) -> io::Result<bool> {
        let Some(value) = value_of(&what["left"], sample)? else { return Ok(false) };
        let right = &what["right"];
        let holds = match (right.as_str(), right.get("prefix"), right.get("range")) {
            (Some(set), ..) if set.starts_with('@') => {
                self.set(chain, set)?.iter().any(|element| same(element, &value))
            }
            (Some(_), ..) => same(right, &value),
            (None, Some(prefix), _) => in_prefix(prefix, &value).ok_or_else(|| odd(right))?,
            (None, None, Some(range)) => in_range(range, &value).ok_or_else(|| odd(right))?,
            (None, None, None) => return Err(odd(right)),
        };
        match text(&what["op"]) {
            "==" => Ok(holds),
            "!=" => Ok(!holds),
            _ => Err(odd(what)),
        }
    }

    /// What a map has for a sample.
    fn mapped(&self, chain: &Value, map: &Value, sample: &Sample) -> io::Result<Option<String>> {
        let Some(key) = value_of(&map["key"], sample)? else { return Ok(None) };
        let pairs = self.set(chain, text(&map["data"]))?;
        let pair = pairs.iter().find(|pair| same(&pair[0], &key));
        Ok(pair.map(|pair| text(&pair[1]).to_owned()))
    }

    fn set(&self, chain: &Value, name: &str) -> io::Result<&[&'t Value]> {
        let key = (place(chain), name.trim_start_matches('@').to_owned());
        let unknown = || io::Error::other(format!("nft names no set {name}"));
        self.elements.get(&key).map(Vec::as_slice).ok_or_else(unknown)
    }
}

/// What an expression reads of a packet, in parts; none if the packet has no such part, and no rule about it fits.
fn value_of(expression: &Value, sample: &Sample) -> io::Result<Option<Vec<String>>> {
    if let Some(parts) = expression.get("concat") {
        let parts = list(parts).map(|part| value_of(part, sample));
        let parts: io::Result<Option<Vec<Vec<String>>>> = parts.collect();
        return Ok(parts?.map(|parts| parts.concat()));
    }
    let (payload, meta) = (&expression["payload"], text(&expression["meta"]["key"]));
    let side = if sample.hook == "input" { 'i' } else { 'o' };
    let value = match (text(&payload["protocol"]), text(&payload["field"]), meta) {
        ("ip" | "ip6", "saddr", _) => sample.source.to_string(),
        ("ip" | "ip6", "daddr", _) => sample.destination.to_string(),
        ("ip", "protocol", _) | (_, _, "l4proto") => sample.protocol.to_owned(),
        ("icmpv6", "type", _) => match sample.icmp_type {
            Some(number) => number.to_string(),
            None => return Ok(None),
        },
        (_, _, "iif" | "iifname" | "oif" | "oifname") if !meta.starts_with(side) => {
            return Ok(None);
        }
        (_, _, "iif" | "iifname" | "oif" | "oifname") => sample.link.clone(),
        (_, _, "iifkind" | "oifkind") if meta.starts_with(side) => sample.kind.clone(),
        _ => return Err(odd(expression)),
    };
    Ok(Some(vec![value]))
}

/// Whether an element of a set, or what a rule compares with, is that value.
fn same(element: &Value, value: &[String]) -> bool {
    let parts: Vec<&Value> = match element.get("concat") {
        Some(parts) => list(parts).collect(),
        None => vec![element],
    };
    let plain =
        |part: &Value| icmp_type(part).map_or_else(|| spelt(part), |number| number.to_string());
    parts.len() == value.len() && parts.iter().zip(value).all(|(part, value)| plain(part) == *value)
}

/// An address in one spelling, anything else as it is.
fn spelt(part: &Value) -> String {
    let text = part.as_str().map_or_else(|| part.to_string(), ToOwned::to_owned);
    text.parse::<IpAddr>().map_or(text, |address| address.to_string())
}

fn icmp_type(part: &Value) -> Option<u8> {
    let named =
        |name: &str| TYPES.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
    part.as_str().and_then(named)
}

fn in_range(range: &Value, value: &[String]) -> Option<bool> {
    let [low, high] = [&range[0], &range[1]].map(icmp_type);
    let number: u8 = value.first()?.parse().ok()?;
    Some((low?..=high?).contains(&number))
}

fn in_prefix(prefix: &Value, value: &[String]) -> Option<bool> {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(four) => u128::from(four.to_bits()) << 96,
        IpAddr::V6(six) => six.to_bits(),
    };
    let length = u32::try_from(prefix["len"].as_u64()?).ok()?;
    let start: IpAddr = text(&prefix["addr"]).parse().ok()?;
    let address: IpAddr = value.first()?.parse().ok()?;
    let differs = bits(start) ^ bits(address);
    Some(start.is_ipv4() == address.is_ipv4() && differs.leading_zeros() >= length)
}

/// The table that something is in.
fn place(of: &Value) -> String {
    format!("{} {}", text(&of["family"]), text(&of["table"]))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn odd(value: &Value) -> io::Error {
    io::Error::other(format!("not understood of nft's rules: {value}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(chain: &str, statements: Value) -> Value {
        json!({"rule": {"family": "ip6", "table": "t", "chain": chain, "expr": statements}})
    }

    fn is(protocol: &str, field: &str, right: Value) -> Value {
        let left = json!({"payload": {"protocol": protocol, "field": field}});
        json!({"match": {"op": "==", "left": left, "right": right}})
    }

    fn table(rules: Vec<Value>) -> Value {
        let chain = |name| json!({"family": "ip6", "table": "t", "name": name});
        let mut begins = chain("out");
        for (key, value) in
            [("hook", json!("output")), ("prio", json!(-1)), ("policy", json!("accept"))]
        {
            begins[key] = value;
        }
        let shut = json!([{"concat": ["fe80::101", "eth0"]}]);
        let mut all = vec![
            json!({"chain": begins}),
            json!({"chain": chain("near")}),
            json!({"set": {"family": "ip6", "table": "t", "name": "shut", "elem": shut}}),
            json!({"map": {"family": "ip6", "table": "t", "name": "under", "elem": [["vrrp.51", "eth0"]]}}),
        ];
        all.extend(rules);
        json!({"nftables": all})
    }

    fn out(icmp_type: Option<u8>, source: &str, link: &str) -> Sample {
        Sample {
            hook: "output",
            protocol: if icmp_type.is_some() { "ipv6-icmp" } else { "udp" },
            icmp_type,
            source: ip(source),
            destination: ip("2001:db8::9"),
            link: link.to_owned(),
            kind: String::new(),
        }
    }

    #[test]
    fn chains_sets_ranges_and_copies_are_carried_out() {
        let near = json!({"prefix": {"addr": "fe80::", "len": 10}});
        let both = json!({"concat": [
            {"payload": {"protocol": "ip6", "field": "saddr"}}, {"meta": {"key": "oif"}}
        ]});
        let copy =
            json!({"dup": {"dev": {"map": {"key": {"meta": {"key": "oif"}}, "data": "@under"}}}});
        let told = table(vec![
            rule(
                "out",
                json!([is("icmpv6", "type", json!("mld2-listener-report")), copy, {"drop": null}]),
            ),
            rule(
                "out",
                json!([
                    is("icmpv6", "type", json!({"range": ["nd-router-solicit", "nd-redirect"]})), {"accept": null}
                ]),
            ),
            rule("out", json!([is("ip6", "saddr", near), {"goto": {"target": "near"}}])),
            rule("out", json!([is("ip6", "saddr", json!("2001:DB8::0:7")), {"drop": null}])),
            rule(
                "near",
                json!([{"match": {"op": "==", "left": both, "right": "@shut"}}, {"drop": null}]),
            ),
        ]);
        let rules = Rules::read(&told);
        let becomes = |sample: Sample| {
            let line = rules.try_on(&sample).expect("it is understood");
            line.and_then(|line| line.split_once(": ").map(|(_, verdict)| verdict.to_owned()))
        };
        let dropped = Some("dropped".to_owned());
        assert_eq!(becomes(out(None, "fe80::101", "eth0")), dropped);
        assert_eq!(becomes(out(None, "fe80::101", "eth1")), None, "on that link alone");
        assert_eq!(becomes(out(Some(135), "fe80::101", "eth0")), None);
        assert_eq!(becomes(out(Some(128), "2001:db8::7", "eth0")), dropped);
        assert_eq!(
            becomes(out(Some(143), "fe80::1", "vrrp.51")),
            Some("leaves by eth0 instead".to_owned())
        );
        assert_eq!(becomes(out(Some(143), "fe80::1", "eth0")), None);
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        let told = table(vec![rule("out", json!([{"limit": {"rate": 1}}]))]);
        assert!(Rules::read(&told).try_on(&out(None, "2001:db8::7", "eth0")).is_err());
    }
}
