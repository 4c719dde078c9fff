//! Rules of policy routing, in the words of iproute2.

use std::fmt;

use mainstay_base::{Family, InterfaceAddress, LinkName};

/// A rule: all of it is what makes it the same one for the kernel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// Its family.
    pub family: Family,
    /// Rules are asked from the smallest number on.
    pub priority: u32,
    /// It is for packets that do not match.
    pub inverted: bool,
    /// The prefix of the source.
    pub from: Option<InterfaceAddress>,
    /// The prefix of the destination.
    pub to: Option<InterfaceAddress>,
    /// The type of service.
    pub tos: u8,
    /// The mark and its mask.
    pub mark: Option<(u32, u32)>,
    /// The link that packets come in by.
    pub in_link: Option<LinkName>,
    /// The link that packets are bound to leave by.
    pub out_link: Option<LinkName>,
    /// The protocol above IP.
    pub protocol: Option<u8>,
    /// The first and the last source port.
    pub source_ports: Option<(u16, u16)>,
    /// The first and the last destination port.
    pub destination_ports: Option<(u16, u16)>,
    /// The first and the last user.
    pub users: Option<(u32, u32)>,
    /// The number of a tunnel.
    pub tunnel: Option<u64>,
    /// The realms of the source (the upper 16 bits) and of the destination that it gives packets, IPv4 only.
    pub realms: Option<u32>,
    /// The table of the link's own domain (VRF).
    pub of_domain: bool,
    /// What it does.
    pub action: RuleAction,
    /// Routes with prefixes of at most that length do not count.
    pub suppress_prefix: Option<u32>,
    /// Routes by links of that group do not count.
    pub suppress_group: Option<u32>,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleAction {
    /// Looks into a table.
    Table(u32),
    /// Goes on with the rule of that priority.
    Goto(u32),
    /// Nothing.
    Nop,
    /// Drops.
    Blackhole,
    /// Answers: unreachable.
    Unreachable,
    /// Answers: prohibited.
    Prohibit,
}

impl Rule {
    /// One that matches everything.
    pub fn all(family: Family, priority: u32, action: RuleAction) -> Rule {
        Rule {
            family,
            priority,
            inverted: false,
            from: None,
            to: None,
            tos: 0,
            mark: None,
            in_link: None,
            out_link: None,
            protocol: None,
            source_ports: None,
            destination_ports: None,
            users: None,
            tunnel: None,
            realms: None,
            of_domain: false,
            action,
            suppress_prefix: None,
            suppress_group: None,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = match self.family {
            Family::V4 => "inet",
            Family::V6 => "inet6",
        };
        write!(f, "{family} priority {}", self.priority)?;
        f.write_str(if self.inverted { " not" } else { "" })?;
        said(f, "from", self.from)?;
        said(f, "to", self.to)?;
        said(f, "tos", Some(self.tos).filter(|tos| *tos != 0).map(|tos| format!("{tos:#x}")))?;
        said(f, "fwmark", self.mark.map(|(mark, mask)| format!("{mark:#x}/{mask:#x}")))?;
        said(f, "iif", self.in_link.as_ref())?;
        said(f, "oif", self.out_link.as_ref())?;
        said(f, "ipproto", self.protocol)?;
        said(f, "sport", self.source_ports.map(|(from, to)| format!("{from}-{to}")))?;
        said(f, "dport", self.destination_ports.map(|(from, to)| format!("{from}-{to}")))?;
        said(f, "uidrange", self.users.map(|(from, to)| format!("{from}-{to}")))?;
        said(f, "tun_id", self.tunnel)?;
        said(f, "realms", self.realms.map(|both| format!("{}/{}", both >> 16, both & 0xffff)))?;
        f.write_str(if self.of_domain { " l3mdev" } else { "" })?;
        match self.action {
            RuleAction::Table(_) if self.of_domain => {}
            RuleAction::Table(table) => write!(f, " table {table}")?,
            RuleAction::Goto(priority) => write!(f, " goto {priority}")?,
            RuleAction::Nop => write!(f, " nop")?,
            RuleAction::Blackhole => write!(f, " blackhole")?,
            RuleAction::Unreachable => write!(f, " unreachable")?,
            RuleAction::Prohibit => write!(f, " prohibit")?,
        }
        said(f, "suppress_prefixlength", self.suppress_prefix)?;
        said(f, "suppress_ifgroup", self.suppress_group)
    }
}

fn said(f: &mut fmt::Formatter<'_>, word: &str, value: Option<impl fmt::Display>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(f, " {word} {value}"))
}
