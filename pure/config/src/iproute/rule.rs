//! `[not] [from P] [to P] [tos T] [fwmark M[/MASK]] [iif L] [oif L] … ACTION`.

use mainstay_base::Family;
use mainstay_plan::{Rule, RuleAction};

use super::fields::{Fields, Wrong};
use super::names::{Kind, Names, number};

/// A rule whose priority may still have to be given.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub rule: Rule,
    pub has_priority: bool,
}

/// Reads a rule.
pub(crate) fn rule(words: &[&str], names: &mut Names<'_>) -> Result<Draft, Wrong> {
    let mut fields = Fields::of(words, names);
    let mut rule = Rule::all(Family::V4, 0, RuleAction::Nop);
    let (mut priority, mut action) = (None, None);
    while let Some(word) = fields.next() {
        match word {
            "priority" | "preference" | "pref" | "order" => priority = Some(fields.number()?),
            // A rule stands whether its links do or not.
            "no_track" => {}
            "inet" => fields.belongs(Family::V4)?,
            "inet6" => fields.belongs(Family::V6)?,
            _ if take_match(&mut rule, word, &mut fields)? => {}
            _ => action = Some(take_action(word, &mut fields)?),
        }
    }
    rule.family = fields.family.unwrap_or(Family::V4);
    rule.priority = priority.unwrap_or(0);
    rule.action = match action {
        Some(action) => action,
        None if rule.of_domain => RuleAction::Table(0),
        None => return Err(fields.wrong("a rule needs `table N`, `goto N` or another action")),
    };
    if matches!(rule.action, RuleAction::Goto(_)) && priority.is_none() {
        return Err(fields.wrong("a rule with `goto` needs a `priority`"));
    }
    Ok(Draft { rule, has_priority: priority.is_some() })
}

fn take_match(rule: &mut Rule, word: &str, fields: &mut Fields<'_, '_>) -> Result<bool, Wrong> {
    match word {
        "not" => rule.inverted = true,
        "from" => rule.from = fields.prefix()?,
        "to" => rule.to = fields.prefix()?,
        "tos" | "dsfield" => rule.tos = fields.named_byte(Kind::Class)?,
        "fwmark" => rule.mark = Some(mark(fields)?),
        "iif" | "dev" => rule.in_link = Some(fields.link()?),
        "oif" => rule.out_link = Some(fields.link()?),
        "ipproto" | "ip_proto" => rule.protocol = Some(protocol(fields)?),
        "sport" => rule.source_ports = Some(ports(fields)?),
        "dport" => rule.destination_ports = Some(ports(fields)?),
        "uidrange" => rule.users = Some(users(fields)?),
        "tun_id" | "tunnel-id" => rule.tunnel = Some(fields.parsed("a number")?),
        "realms" | "realm" => rule.realms = Some(fields.realms()?),
        "l3mdev" => rule.of_domain = true,
        "suppress_prefixlength" | "suppress_prefixlen" | "sup_pl" => {
            rule.suppress_prefix = Some(fields.number()?);
        }
        "suppress_ifgroup" | "suppress_ifgr" | "sup_group" => {
            rule.suppress_group = Some(fields.named(Kind::Group)?);
        }
        "protocol" => drop(fields.value()?),
        _ => return Ok(false),
    }
    Ok(true)
}

fn take_action(word: &str, fields: &mut Fields<'_, '_>) -> Result<RuleAction, Wrong> {
    match word {
        "table" | "lookup" => Ok(RuleAction::Table(fields.named(Kind::Table)?)),
        "goto" => Ok(RuleAction::Goto(fields.number()?)),
        "nop" => Ok(RuleAction::Nop),
        "blackhole" => Ok(RuleAction::Blackhole),
        "unreachable" => Ok(RuleAction::Unreachable),
        "prohibit" => Ok(RuleAction::Prohibit),
        "type" => {
            let word = fields.value()?;
            take_action(word, fields)
        }
        other => Err(fields.wrong(format!("`{other}` is no option of a rule"))),
    }
}

fn mark(fields: &mut Fields<'_, '_>) -> Result<(u32, u32), Wrong> {
    let text = fields.value()?;
    let (mark, mask) = match text.split_once('/') {
        Some((mark, mask)) => (number(mark), number(mask)),
        None => (number(text), Some(u32::MAX)),
    };
    let wrong = || fields.wrong(format!("expected a mark, or mark and mask, not `{text}`"));
    mark.zip(mask).ok_or_else(wrong)
}

fn protocol(fields: &mut Fields<'_, '_>) -> Result<u8, Wrong> {
    const KNOWN: [(&str, u8); 8] = [
        ("icmp", 1),
        ("igmp", 2),
        ("tcp", 6),
        ("udp", 17),
        ("gre", 47),
        ("esp", 50),
        ("ipv6-icmp", 58),
        ("sctp", 132),
    ];
    let text = fields.value()?;
    let known =
        KNOWN.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, number)| *number);
    let wrong = || fields.wrong(format!("expected the name or number of a protocol, not `{text}`"));
    known.or_else(|| text.parse().ok()).ok_or_else(wrong)
}

fn ports(fields: &mut Fields<'_, '_>) -> Result<(u16, u16), Wrong> {
    let text = fields.value()?;
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = first.parse().ok().zip(last.parse().ok());
    let range = range.filter(|(first, last)| first <= last && *first > 0);
    range.ok_or_else(|| fields.wrong(format!("expected a port or a range, not `{text}`")))
}

fn users(fields: &mut Fields<'_, '_>) -> Result<(u32, u32), Wrong> {
    let text = fields.value()?;
    let range =
        text.split_once('-').and_then(|(first, last)| first.parse().ok().zip(last.parse().ok()));
    let range = range.filter(|(first, last): &(u32, u32)| first <= last);
    range.ok_or_else(|| fields.wrong(format!("expected a range of users, not `{text}`")))
}
