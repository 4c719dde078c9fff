//! Links as the kernel knows them: a name, an index, a hardware address.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The name of a link: 1 to 15 bytes without `/`, blank or control character. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkName(Arc<str>);

impl LinkName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LinkName {
    type Err = BadLinkName;

    fn from_str(text: &str) -> Result<LinkName, BadLinkName> {
        let allowed = |c: char| !c.is_whitespace() && !c.is_control() && c != '/';
        let length_fits = (1..=15).contains(&text.len());
        if length_fits && text != "." && text != ".." && text.chars().all(allowed) {
            Ok(LinkName(text.into()))
        } else {
            Err(BadLinkName)
        }
    }
}

impl fmt::Display for LinkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Not a name that the kernel allows for a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadLinkName;

impl fmt::Display for BadLinkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a link name has 1 to 15 bytes, without blank or `/`")
    }
}

impl std::error::Error for BadLinkName {}

/// The kernel's number for a link; a link that goes and comes back has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkIndex(pub u32);

impl fmt::Display for LinkIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// An Ethernet hardware address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddress(pub [u8; 6]);

impl MacAddress {
    /// `ff:ff:ff:ff:ff:ff`.
    pub const BROADCAST: MacAddress = MacAddress([0xff; 6]);
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_the_kernel_takes_are_names() {
        for good in ["eth0", "vrrp.51", "a", "veth-012345678", "br@x"] {
            assert!(good.parse::<LinkName>().is_ok(), "{good}");
        }
        for bad in ["", "sixteen-letters!", "a b", "a/b", ".", "..", "a\tb"] {
            assert_eq!(bad.parse::<LinkName>(), Err(BadLinkName), "{bad}");
        }
    }

    #[test]
    fn hardware_addresses_read_as_usual() {
        let mac = MacAddress([0, 0, 0x5e, 0, 1, 51]);
        assert_eq!(mac.to_string(), "00:00:5e:00:01:33");
    }
}
