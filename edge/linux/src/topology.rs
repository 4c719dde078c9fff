//! Links, addresses and routes of a namespace, built by netlink: for laboratories and drills.

mod requests;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::AsFd;
use std::path::PathBuf;

use mainstay_base::{InterfaceAddress, LinkIndex, MacAddress};
use mainstay_plan::Refusal;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::LinkAttribute;

use crate::netlink::{Channel, refusal_of};
use crate::netns::Namespace;

/// The links of the namespace that the opening thread was in.
///
/// Links are named by their names; each call is one request, answered before it returns.
pub struct Links {
    channel: Channel,
}

/// The kernel refused to build something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkError {
    /// What was to be done: `create link veth0`.
    pub doing: String,
    /// Why it was not.
    pub refusal: Refusal,
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.doing, self.refusal.message)
    }
}

impl std::error::Error for LinkError {}

impl From<LinkError> for std::io::Error {
    fn from(error: LinkError) -> std::io::Error {
        let kind = std::io::Error::from_raw_os_error(error.refusal.errno).kind();
        std::io::Error::new(kind, error)
    }
}

/// Every method fails with the kernel's refusal of what its name says.
#[allow(clippy::missing_errors_doc)]
impl Links {
    /// Opens the calling thread's namespace.
    pub fn open() -> std::io::Result<Links> {
        Ok(Links { channel: Channel::open(&[])? })
    }

    /// Opens a namespace without entering it for longer than that.
    pub fn of(namespace: &Namespace) -> std::io::Result<Links> {
        namespace.run(Links::open)?
    }

    /// Creates a pair of virtual Ethernet links, the second one in `peer_in` where given.
    pub fn create_veth(
        &mut self,
        name: &str,
        peer: &str,
        peer_in: Option<&Namespace>,
    ) -> Result<(), LinkError> {
        let doing = || format!("create links {name} and {peer}");
        self.create(requests::veth(name, peer, peer_in.map(AsFd::as_fd)), doing)
    }

    /// Creates a tunnel that carries Ethernet frames between two IPv4 addresses (GRE).
    pub fn create_gretap(
        &mut self,
        name: &str,
        local: Ipv4Addr,
        remote: Ipv4Addr,
    ) -> Result<(), LinkError> {
        let doing = || format!("create tunnel {name} from {local} to {remote}");
        self.create(requests::gretap(name, local, remote), doing)
    }

    /// Creates a bridge, without spanning tree and with snooping off: it forwards at once.
    pub fn create_bridge(&mut self, name: &str) -> Result<(), LinkError> {
        self.create(requests::bridge(name), || format!("create bridge {name}"))
    }

    /// Makes a link a port of a bridge.
    pub fn attach(&mut self, port: &str, bridge: &str) -> Result<(), LinkError> {
        let doing = || format!("attach link {port} to bridge {bridge}");
        let bridge = self.index_of(bridge)?;
        self.change(port, vec![LinkAttribute::Controller(bridge.0)], doing)
    }

    /// Takes a port off its bridge.
    pub fn detach(&mut self, port: &str) -> Result<(), LinkError> {
        let doing = || format!("detach link {port} from its bridge");
        self.change(port, vec![LinkAttribute::Controller(0)], doing)
    }

    /// Whether a port of a bridge is given the multicasts that others send.
    pub fn flood_multicast(&mut self, port: &str, flood: bool) -> Result<(), LinkError> {
        let index = self.index_of(port)?;
        let doing = || format!("change whether link {port} is given multicasts");
        self.ask(requests::flood_multicast(index, flood), 0, doing)
    }

    /// Sets a link up.
    pub fn set_up(&mut self, name: &str) -> Result<(), LinkError> {
        let index = self.index_of(name)?;
        self.ask(requests::set_up(index, true), 0, || format!("set link {name} up"))
    }

    /// Sets a link down.
    pub fn set_down(&mut self, name: &str) -> Result<(), LinkError> {
        let index = self.index_of(name)?;
        self.ask(requests::set_up(index, false), 0, || format!("set link {name} down"))
    }

    /// Gives a link another name; it must be down on kernels before 6.2.
    pub fn rename(&mut self, name: &str, to: &str) -> Result<(), LinkError> {
        let doing = || format!("rename link {name} to {to}");
        self.change(name, vec![LinkAttribute::IfName(to.to_owned())], doing)
    }

    /// Gives a link another hardware address.
    pub fn set_mac(&mut self, name: &str, mac: MacAddress) -> Result<(), LinkError> {
        let doing = || format!("set the hardware address of link {name} to {mac}");
        self.change(name, vec![LinkAttribute::Address(mac.0.to_vec())], doing)
    }

    /// Sets the longest packet of a link, in bytes.
    pub fn set_mtu(&mut self, name: &str, mtu: u32) -> Result<(), LinkError> {
        let doing = || format!("set the MTU of link {name} to {mtu}");
        self.change(name, vec![LinkAttribute::Mtu(mtu)], doing)
    }

    /// Moves a link into another namespace.
    pub fn move_to(&mut self, name: &str, namespace: &Namespace) -> Result<(), LinkError> {
        let doing = || format!("move link {name} into another namespace");
        self.change(name, vec![requests::into_namespace(namespace.as_fd())], doing)
    }

    /// Deletes a link; of a pair both ends go.
    pub fn delete(&mut self, name: &str) -> Result<(), LinkError> {
        let index = self.index_of(name)?;
        self.ask(requests::delete(index), 0, || format!("delete link {name}"))
    }

    /// Puts an address on a link, usable at once (no duplicate address detection).
    pub fn add_address(&mut self, name: &str, address: InterfaceAddress) -> Result<(), LinkError> {
        let link = self.index_of(name)?;
        let request = RouteNetlinkMessage::NewAddress(requests::address(link, address));
        let doing = || format!("add {address} to link {name}");
        self.ask(request, NLM_F_CREATE | NLM_F_EXCL, doing)
    }

    /// Takes an address off a link.
    pub fn remove_address(
        &mut self,
        name: &str,
        address: InterfaceAddress,
    ) -> Result<(), LinkError> {
        let link = self.index_of(name)?;
        let request = RouteNetlinkMessage::DelAddress(requests::address(link, address));
        self.ask(request, 0, || format!("remove {address} from link {name}"))
    }

    /// Routes a prefix by way of a neighbour; a route that is there is replaced.
    pub fn route(&mut self, prefix: InterfaceAddress, gateway: IpAddr) -> Result<(), LinkError> {
        let request = RouteNetlinkMessage::NewRoute(requests::route(prefix, gateway));
        let doing = || format!("route {prefix} by way of {gateway}");
        self.ask(request, NLM_F_CREATE | NLM_F_REPLACE, doing)
    }

    /// Routes everything of the gateway's family by way of it.
    pub fn route_default(&mut self, gateway: IpAddr) -> Result<(), LinkError> {
        self.route(requests::everything(gateway), gateway)
    }

    /// The number of the link of that name.
    pub fn index_of(&mut self, name: &str) -> Result<LinkIndex, LinkError> {
        let refused = |e: &std::io::Error| LinkError {
            doing: format!("find link {name}"),
            refusal: refusal_of(e),
        };
        rustix::net::netdevice::name_to_index(&self.channel, name)
            .map(LinkIndex)
            .map_err(|e| refused(&e.into()))
    }

    fn create(
        &mut self,
        request: RouteNetlinkMessage,
        doing: impl FnOnce() -> String,
    ) -> Result<(), LinkError> {
        self.ask(request, NLM_F_CREATE | NLM_F_EXCL, doing)
    }

    fn change(
        &mut self,
        name: &str,
        attributes: Vec<LinkAttribute>,
        doing: impl FnOnce() -> String,
    ) -> Result<(), LinkError> {
        let index = self.index_of(name)?;
        self.ask(requests::change(index, attributes), 0, doing)
    }

    fn ask(
        &mut self,
        request: RouteNetlinkMessage,
        flags: u16,
        doing: impl FnOnce() -> String,
    ) -> Result<(), LinkError> {
        self.channel.ask(request, flags).map_err(|refusal| LinkError { doing: doing(), refusal })
    }
}

/// Sets a system variable of the calling thread's network namespace: `net.ipv4.ip_forward`.
///
/// Dots separate; a slash inside a part stands for a dot of a link's name, as with `sysctl`.
///
/// # Errors
/// There is no such variable, it cannot be written, or it does not begin with `net.`.
pub fn set_sysctl(name: &str, value: &str) -> std::io::Result<()> {
    std::fs::write(sysctl_path(name)?, value)
}

/// Reads a system variable of the calling thread's network namespace.
///
/// # Errors
/// There is no such variable, it cannot be read, or it does not begin with `net.`.
pub fn sysctl(name: &str) -> std::io::Result<String> {
    Ok(std::fs::read_to_string(sysctl_path(name)?)?.trim_end().to_owned())
}

fn sysctl_path(name: &str) -> std::io::Result<PathBuf> {
    let swap = |c| match c {
        '.' => '/',
        '/' => '.',
        other => other,
    };
    let path: String = name.chars().map(swap).collect();
    if name.starts_with("net.") && !path.split('/').any(|part| part == "..") {
        Ok(PathBuf::from("/proc/sys").join(path))
    } else {
        let message = format!("{name} is not a variable of a network namespace");
        Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, message))
    }
}

#[cfg(test)]
mod tests;
