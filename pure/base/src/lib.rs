//! What every room stands on: instants, seeds, links, addresses, machines.

mod address;
mod carrier;
mod link;
mod machine;
mod seed;
mod time;

pub use address::{BadPrefix, Family, InterfaceAddress};
pub use carrier::CarrierSource;
pub use link::{BadLinkName, LinkIndex, LinkName, MacAddress};
pub use machine::{Deadline, Machine};
pub use seed::Seed;
pub use time::Instant;
