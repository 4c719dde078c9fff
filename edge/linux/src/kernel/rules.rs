//! Rules of ours: put, taken away, recognised.

use mainstay_base::{Family, InterfaceAddress};
use mainstay_plan::{Rule, RuleAction};

use super::marks::ADDRESS_PROTOCOL;
use super::parts::{family_number, family_of, ip, octets};
use crate::netlink::{Attributes, Composer, array, number, text};

/// `FRA_*`.
const TO: u16 = 1;
const FROM: u16 = 2;
const IN_LINK: u16 = 3;
const GOTO: u16 = 4;
const PRIORITY: u16 = 6;
const MARK: u16 = 10;
const REALMS: u16 = 11;
const TUNNEL: u16 = 12;
const SUPPRESS_GROUP: u16 = 13;
const SUPPRESS_PREFIX: u16 = 14;
const TABLE: u16 = 15;
const MASK: u16 = 16;
const OUT_LINK: u16 = 17;
const OF_DOMAIN: u16 = 19;
const USERS: u16 = 20;
const OURS: u16 = 21;
const PROTOCOL: u16 = 22;
const SOURCE_PORTS: u16 = 23;
const DESTINATION_PORTS: u16 = 24;

/// `FIB_RULE_INVERT`; bytes of `struct fib_rule_hdr`.
const INVERTED: u32 = 2;
const HEADER_BYTES: usize = 12;

/// A request about a rule, to put it there or to take it away.
pub(super) fn request(rule: &Rule) -> Composer {
    let (action, table) = match rule.action {
        RuleAction::Table(table) => (1, table),
        RuleAction::Goto(_) => (2, 0),
        RuleAction::Nop => (3, 0),
        RuleAction::Blackhole => (6, 0),
        RuleAction::Unreachable => (7, 0),
        RuleAction::Prohibit => (8, 0),
    };
    let length = |prefix: Option<InterfaceAddress>| prefix.map_or(0, |prefix| prefix.prefix_len());
    let family = family_number(rule.family);
    let short = u8::try_from(table).unwrap_or(0);
    let mut header =
        vec![family, length(rule.to), length(rule.from), rule.tos, short, 0, 0, action];
    header.extend((if rule.inverted { INVERTED } else { 0 }).to_ne_bytes());
    let mut request = Composer::after(&header);
    request.put_ne(PRIORITY, rule.priority).put(OURS, &[ADDRESS_PROTOCOL]);
    if !rule.of_domain && matches!(rule.action, RuleAction::Table(_)) {
        request.put_ne(TABLE, table);
    }
    if let RuleAction::Goto(priority) = rule.action {
        request.put_ne(GOTO, priority);
    }
    matches(&mut request, rule);
    request
}

fn matches(request: &mut Composer, rule: &Rule) {
    let range = |(from, to): (u16, u16)| [from.to_ne_bytes(), to.to_ne_bytes()].concat();
    let mut put = |kind, value: Option<Vec<u8>>| {
        if let Some(value) = value {
            request.put(kind, &value);
        }
    };
    put(FROM, rule.from.map(|prefix| octets(prefix.ip())));
    put(TO, rule.to.map(|prefix| octets(prefix.ip())));
    put(MARK, rule.mark.map(|(mark, _)| mark.to_ne_bytes().to_vec()));
    put(MASK, rule.mark.map(|(_, mask)| mask.to_ne_bytes().to_vec()));
    let name = |link: &mainstay_base::LinkName| [link.as_str().as_bytes(), &[0]].concat();
    put(IN_LINK, rule.in_link.as_ref().map(name));
    put(OUT_LINK, rule.out_link.as_ref().map(name));
    put(PROTOCOL, rule.protocol.map(|protocol| vec![protocol]));
    put(SOURCE_PORTS, rule.source_ports.map(range));
    put(DESTINATION_PORTS, rule.destination_ports.map(range));
    let users = |(from, to): (u32, u32)| [from.to_ne_bytes(), to.to_ne_bytes()].concat();
    put(USERS, rule.users.map(users));
    put(TUNNEL, rule.tunnel.map(|tunnel| tunnel.to_be_bytes().to_vec()));
    put(REALMS, rule.realms.map(|realms| realms.to_ne_bytes().to_vec()));
    put(OF_DOMAIN, rule.of_domain.then(|| vec![1]));
    put(SUPPRESS_PREFIX, rule.suppress_prefix.map(|length| length.to_ne_bytes().to_vec()));
    put(SUPPRESS_GROUP, rule.suppress_group.map(|group| group.to_ne_bytes().to_vec()));
}

/// A rule, if it bears our mark and is of a kind that we put there.
pub(super) fn read(payload: &[u8]) -> Option<Rule> {
    let [family, to_length, from_length, tos, table, _, _, action] = array::<8>(payload, 0)?;
    let flags = number(payload.get(8..)?)?;
    let family = family_of(family)?;
    let mut rule = Rule::all(family, 0, RuleAction::Nop);
    rule.inverted = flags & INVERTED != 0;
    rule.tos = tos;
    let (mut table, mut goto, mut ours) = (u32::from(table), 0, false);
    for (kind, value) in Attributes::of(payload.get(HEADER_BYTES..)?) {
        match kind {
            TO => rule.to = prefix(family, value, to_length),
            FROM => rule.from = prefix(family, value, from_length),
            TABLE => table = number(value)?,
            GOTO => goto = number(value)?,
            OURS => ours = value.first() == Some(&ADDRESS_PROTOCOL),
            _ => take_match(&mut rule, kind, value)?,
        }
    }
    rule.action = match action {
        1 => RuleAction::Table(table),
        2 => RuleAction::Goto(goto),
        3 => RuleAction::Nop,
        6 => RuleAction::Blackhole,
        7 => RuleAction::Unreachable,
        8 => RuleAction::Prohibit,
        _ => return None,
    };
    ours.then_some(rule)
}

fn take_match(rule: &mut Rule, kind: u16, value: &[u8]) -> Option<()> {
    let ports = || {
        let (from, to) = (array(value, 0)?, array(value, 2)?);
        Some((u16::from_ne_bytes(from), u16::from_ne_bytes(to)))
    };
    // The kernel says what does not apply by all ones, or by nothing.
    let applies = |number: &u32| *number != u32::MAX;
    match kind {
        PRIORITY => rule.priority = number(value)?,
        MARK => rule.mark = Some((number(value)?, rule.mark.map_or(u32::MAX, |(_, mask)| mask))),
        MASK => rule.mark = Some((rule.mark.map_or(0, |(mark, _)| mark), number(value)?)),
        IN_LINK => rule.in_link = text(value)?.parse().ok(),
        OUT_LINK => rule.out_link = text(value)?.parse().ok(),
        PROTOCOL => rule.protocol = value.first().copied().filter(|number| *number != 0),
        SOURCE_PORTS => rule.source_ports = ports(),
        DESTINATION_PORTS => rule.destination_ports = ports(),
        USERS => rule.users = Some((number(value)?, number(value.get(4..)?)?)),
        TUNNEL => {
            let tunnel = u64::from_be_bytes(array(value, 0)?);
            rule.tunnel = Some(tunnel).filter(|tunnel| *tunnel != 0);
        }
        REALMS => rule.realms = number(value).filter(|realms| *realms != 0),
        OF_DOMAIN => rule.of_domain = value.first() == Some(&1),
        SUPPRESS_PREFIX => rule.suppress_prefix = number(value).filter(applies),
        SUPPRESS_GROUP => rule.suppress_group = number(value).filter(applies),
        _ => {}
    }
    Some(())
}

/// A prefix: its bytes, and its length from the header.
fn prefix(family: Family, value: &[u8], length: u8) -> Option<InterfaceAddress> {
    InterfaceAddress::new(ip(family, value)?, length).ok()
}
