//! A last will: what the supervisor does for a control process that died or hangs.

use std::net::IpAddr;

use mainstay_base::{InterfaceAddress, LinkIndex, LinkName};
use mainstay_engine::vrrp::Transmit;
use mainstay_plan::AddressKey;
use serde::{Deserialize, Serialize};

/// What is left to do when nobody else can: say farewell, take addresses down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Will {
    farewells: Vec<Farewell>,
    addresses: Vec<HeldAddress>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Farewell {
    Advert { link: u32, source: IpAddr, destination: IpAddr, ttl: u8, payload: Vec<u8> },
    Frame { link: u32, bytes: Vec<u8> },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct HeldAddress {
    link: String,
    address: String,
}

impl Will {
    /// A will of these farewells and addresses.
    pub(crate) fn new(farewells: Vec<Transmit>, addresses: Vec<AddressKey>) -> Will {
        let held = |key: AddressKey| HeldAddress {
            link: key.link.to_string(),
            address: key.address.to_string(),
        };
        Will {
            farewells: farewells.into_iter().map(Farewell::of).collect(),
            addresses: addresses.into_iter().map(held).collect(),
        }
    }

    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.farewells.is_empty() && self.addresses.is_empty()
    }

    /// What to send.
    pub(crate) fn farewells(&self) -> impl Iterator<Item = Transmit> {
        self.farewells.iter().cloned().map(Transmit::from)
    }

    /// What to take down.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = AddressKey> {
        self.addresses.iter().filter_map(|held| {
            let link: LinkName = held.link.parse().ok()?;
            let address: InterfaceAddress = held.address.parse().ok()?;
            Some(AddressKey { link, address })
        })
    }
}

impl Farewell {
    fn of(transmit: Transmit) -> Farewell {
        match transmit {
            Transmit::Advert { link, source, destination, ttl, payload } => {
                Farewell::Advert { link: link.0, source, destination, ttl, payload }
            }
            Transmit::Frame { link, bytes } => Farewell::Frame { link: link.0, bytes },
        }
    }
}

impl From<Farewell> for Transmit {
    fn from(farewell: Farewell) -> Transmit {
        match farewell {
            Farewell::Advert { link, source, destination, ttl, payload } => {
                let link = LinkIndex(link);
                Transmit::Advert { link, source, destination, ttl, payload }
            }
            Farewell::Frame { link, bytes } => Transmit::Frame { link: LinkIndex(link), bytes },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_will_survives_being_written_down() {
        let key = AddressKey {
            link: "eth0".parse().expect("a good name"),
            address: "2001:db8::1/64".parse().expect("a good address"),
        };
        let advert = Transmit::Advert {
            link: LinkIndex(4),
            source: "10.0.0.1".parse().expect("a good address"),
            destination: "224.0.0.18".parse().expect("a good address"),
            ttl: 255,
            payload: vec![0x21, 51, 0, 1],
        };
        let will = Will::new(vec![advert.clone()], vec![key.clone()]);
        let text = serde_json::to_string(&will).expect("plain values");
        let read: Will = serde_json::from_str(&text).expect("as it was written");
        assert_eq!(read.farewells().collect::<Vec<_>>(), [advert]);
        assert_eq!(read.addresses().collect::<Vec<_>>(), [key]);
        assert!(!read.is_empty());
    }
}
