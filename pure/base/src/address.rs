//! Addresses as they stand on a link: an IP address with the length of its prefix.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// The family of an address.
    pub const fn of(ip: IpAddr) -> Family {
        match ip {
            IpAddr::V4(_) => Family::V4,
            IpAddr::V6(_) => Family::V6,
        }
    }

    /// Bits in an address: 32 or 128, which is also the longest prefix.
    pub const fn bits(self) -> u8 {
        match self {
            Family::V4 => 32,
            Family::V6 => 128,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        })
    }
}

/// An address with its prefix length, as on a link: `192.0.2.1/24`. The length always fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceAddress {
    ip: IpAddr,
    prefix_len: u8,
}

impl InterfaceAddress {
    /// An address with a prefix length.
    ///
    /// # Errors
    /// The length is more than the family has bits.
    pub fn new(ip: IpAddr, prefix_len: u8) -> Result<InterfaceAddress, BadPrefix> {
        if prefix_len <= Family::of(ip).bits() {
            Ok(InterfaceAddress { ip, prefix_len })
        } else {
            Err(BadPrefix)
        }
    }

    /// An address alone: `/32` or `/128`.
    pub const fn host(ip: IpAddr) -> InterfaceAddress {
        InterfaceAddress { ip, prefix_len: Family::of(ip).bits() }
    }

    /// The address.
    pub const fn ip(self) -> IpAddr {
        self.ip
    }

    /// Bits of the prefix.
    pub const fn prefix_len(self) -> u8 {
        self.prefix_len
    }

    /// IPv4 or IPv6.
    pub const fn family(self) -> Family {
        Family::of(self.ip)
    }
}

impl FromStr for InterfaceAddress {
    type Err = BadPrefix;

    /// `ADDRESS` or `ADDRESS/LENGTH`.
    fn from_str(text: &str) -> Result<InterfaceAddress, BadPrefix> {
        let (ip, length) = match text.split_once('/') {
            Some((ip, length)) => (ip, Some(length)),
            None => (text, None),
        };
        let ip: IpAddr = ip.parse().map_err(|_| BadPrefix)?;
        match length {
            Some(length) => InterfaceAddress::new(ip, length.parse().map_err(|_| BadPrefix)?),
            None => Ok(InterfaceAddress::host(ip)),
        }
    }
}

impl fmt::Display for InterfaceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.prefix_len)
    }
}

/// Not an address with a prefix length that fits its family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadPrefix;

impl fmt::Display for BadPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected an address with a prefix length, such as `192.0.2.1/24`")
    }
}

impl std::error::Error for BadPrefix {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_value_agree() {
        for text in ["192.0.2.1/24", "10.0.0.1/32", "2001:db8::1/64", "fe80::1/128"] {
            let address: InterfaceAddress = text.parse().expect("a good address");
            assert_eq!(address.to_string(), text);
        }
        let alone: InterfaceAddress = "10.0.0.1".parse().expect("a good address");
        assert_eq!(alone.prefix_len(), 32);
        for bad in ["10.0.0.1/33", "2001:db8::1/129", "10.0.0/8", "10.0.0.1/", "10.0.0.1/-1", ""] {
            assert_eq!(bad.parse::<InterfaceAddress>(), Err(BadPrefix), "{bad}");
        }
    }
}
