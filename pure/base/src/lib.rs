//! What every room stands on: instants, links, addresses and the contract of a machine.

mod address;
mod link;
mod machine;
mod time;

pub use address::{BadPrefix, Family, InterfaceAddress};
pub use link::{BadLinkName, LinkIndex, LinkName, MacAddress};
pub use machine::{Deadline, Machine};
pub use time::Instant;
