//! Machines made of network namespaces, and the wires between them.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use mainstay_base::InterfaceAddress;
use mainstay_linux::netns::Namespace;
use mainstay_linux::topology::{Links, set_sysctl};

use crate::directory::Directory;
use crate::wait;

/// How long the kernel may take to make links usable.
const BUILT_WITHIN: Duration = Duration::from_secs(10);

/// A host to build.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Its name.
    pub name: String,
    /// Its links.
    pub plugs: Vec<Plug>,
    /// Where it sends what is not on its links.
    pub gateway: Option<IpAddr>,
    /// Whether it forwards packets.
    pub forwards: bool,
    /// A link that is a tunnel across the others.
    pub tunnel: Option<Tunnel>,
}

/// A link that carries Ethernet frames inside GRE: the kernel must know `gretap`.
#[derive(Clone, Debug)]
pub struct Tunnel {
    /// The link's name inside the host.
    pub link: String,
    /// This host's address that packets of the tunnel come from.
    pub local: Ipv4Addr,
    /// The other host's address that they go to.
    pub remote: Ipv4Addr,
    /// The address of the link.
    pub address: InterfaceAddress,
}

/// One link of a host, plugged into a segment.
#[derive(Clone, Debug)]
pub struct Plug {
    /// The link's name inside the host.
    pub link: String,
    /// The number of the segment.
    pub segment: usize,
    /// Its addresses.
    pub addresses: Vec<InterfaceAddress>,
}

impl Plug {
    /// A link on a segment with addresses such as `192.0.2.1/24`.
    ///
    /// # Panics
    /// One of the addresses is none.
    pub fn new(link: &str, segment: usize, addresses: &[&str]) -> Plug {
        let parse = |text: &&str| text.parse().expect("an address with its prefix length");
        let addresses = addresses.iter().map(parse).collect();
        Plug { link: link.to_owned(), segment, addresses }
    }
}

impl Layout {
    /// A host with one link.
    pub fn new(name: &str, plug: Plug) -> Layout {
        Layout { name: name.to_owned(), plugs: vec![plug], ..Layout::default() }
    }
}

/// A host: a network namespace and the links in it.
#[derive(Debug)]
pub struct Host {
    layout: Layout,
    place: usize,
    namespace: Namespace,
}

/// Machines and the switch that joins them; everything vanishes with it.
#[derive(Debug)]
pub struct Cluster {
    switch: Namespace,
    hosts: Vec<Host>,
    directory: Directory,
}

impl Cluster {
    /// Builds the hosts and plugs them in; returns when every link can be used.
    ///
    /// # Errors
    /// Namespaces or links are not permitted, or the kernel refuses one.
    pub fn build(layouts: Vec<Layout>) -> io::Result<Cluster> {
        let switch = Namespace::make()?;
        switch.run(|| set_sysctl("net.ipv6.conf.default.disable_ipv6", "1"))??;
        // A switch looks into no packet; where the module is loaded, the kernel's bridge would, for whoever sends.
        for family in ["iptables", "ip6tables", "arptables"] {
            let _ =
                switch.run(|| set_sysctl(&format!("net.bridge.bridge-nf-call-{family}"), "0"))?;
        }
        let segments =
            layouts.iter().flat_map(|layout| &layout.plugs).map(|plug| plug.segment + 1).max();
        let mut bridges = Links::of(&switch)?;
        for segment in 0..segments.unwrap_or(0) {
            bridges.create_bridge(&bridge(segment))?;
            bridges.set_up(&bridge(segment))?;
        }
        let hosts = layouts
            .into_iter()
            .enumerate()
            .map(|(place, layout)| Host::build(place, layout, &mut bridges))
            .collect::<io::Result<Vec<_>>>()?;
        for host in &hosts {
            host.namespace.run(|| usable(host))??;
        }
        Ok(Cluster { switch, hosts, directory: Directory::make()? })
    }

    /// The host at `place`, in the order of the layouts.
    ///
    /// # Panics
    /// There is none.
    pub fn host(&self, place: usize) -> &Host {
        &self.hosts[place]
    }

    /// Its directory.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Pulls the cables of a host: its links lose their carrier.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn unplug(&self, place: usize) -> io::Result<()> {
        self.each_port(place, |links, port, _| Ok(links.set_down(port)?))
    }

    /// Plugs its cables in again.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn plug(&self, place: usize) -> io::Result<()> {
        self.each_port(place, |links, port, _| Ok(links.set_up(port)?))
    }

    /// Pulls the cable of one link of a host.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn unplug_link(&self, place: usize, plug: usize) -> io::Result<()> {
        Ok(Links::of(&self.switch)?.set_down(&port(place, plug))?)
    }

    /// Separates a host from the others without anybody's links noticing.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn isolate(&self, place: usize) -> io::Result<()> {
        self.each_port(place, |links, port, _| Ok(links.detach(port)?))
    }

    /// Joins it with the others again.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn rejoin(&self, place: usize) -> io::Result<()> {
        self.each_port(place, |links, port, plug| Ok(links.attach(port, &bridge(plug.segment))?))
    }

    /// Keeps from a host the multicasts of the others, who go on hearing it.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn deafen(&self, place: usize) -> io::Result<()> {
        self.each_port(place, |links, port, _| Ok(links.flood_multicast(port, false)?))
    }

    /// Lets it hear the others again.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn undeafen(&self, place: usize) -> io::Result<()> {
        self.each_port(place, |links, port, _| Ok(links.flood_multicast(port, true)?))
    }

    /// Takes the first address of a host's first link away.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn strip(&self, place: usize) -> io::Result<()> {
        let host = self.host(place);
        Ok(host.links()?.remove_address(host.first_link(), host.first_address()?)?)
    }

    /// Gives it back.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn restore(&self, place: usize) -> io::Result<()> {
        let host = self.host(place);
        Ok(host.links()?.add_address(host.first_link(), host.first_address()?)?)
    }

    /// Builds a link of a host anew after it was deleted, and plugs it in.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn replug(&self, place: usize, plug: usize) -> io::Result<()> {
        self.host(place).wire(plug, &mut Links::of(&self.switch)?)
    }

    fn each_port(
        &self,
        place: usize,
        change: impl Fn(&mut Links, &str, &Plug) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut links = Links::of(&self.switch)?;
        for (number, plug) in self.host(place).layout.plugs.iter().enumerate() {
            change(&mut links, &port(place, number), plug)?;
        }
        Ok(())
    }
}

impl Host {
    fn build(place: usize, layout: Layout, bridges: &mut Links) -> io::Result<Host> {
        let host = Host { layout, place, namespace: Namespace::make()? };
        host.namespace.run(|| prepare(host.layout.forwards))??;
        for number in 0..host.layout.plugs.len() {
            host.wire(number, bridges)?;
        }
        let mut links = host.links()?;
        links.set_up("lo")?;
        if let Some(tunnel) = &host.layout.tunnel {
            links.create_gretap(&tunnel.link, tunnel.local, tunnel.remote)?;
            links.set_up(&tunnel.link)?;
            links.add_address(&tunnel.link, tunnel.address)?;
        }
        if let Some(gateway) = host.layout.gateway {
            links.route_default(gateway)?;
        }
        Ok(host)
    }

    /// Makes the pair for one plug, sets it up and gives it its addresses.
    fn wire(&self, number: usize, bridges: &mut Links) -> io::Result<()> {
        let (plug, port) = (&self.layout.plugs[number], port(self.place, number));
        bridges.create_veth(&port, &plug.link, Some(&self.namespace))?;
        bridges.attach(&port, &bridge(plug.segment))?;
        bridges.set_up(&port)?;
        let mut links = self.links()?;
        links.set_up(&plug.link)?;
        for address in &plug.addresses {
            links.add_address(&plug.link, *address)?;
        }
        Ok(())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.layout.name
    }

    /// Its namespace.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// The name of its first link.
    ///
    /// # Panics
    /// It has none.
    pub fn first_link(&self) -> &str {
        &self.layout.plugs[0].link
    }

    /// The first address of its first link.
    fn first_address(&self) -> io::Result<InterfaceAddress> {
        let address = self.layout.plugs.first().and_then(|plug| plug.addresses.first());
        address.copied().ok_or_else(|| io::Error::other("a host without an address"))
    }

    /// The names of its links.
    pub fn link_names(&self) -> impl Iterator<Item = &str> {
        self.layout.plugs.iter().map(|plug| plug.link.as_str())
    }

    /// Its links, to change them.
    ///
    /// # Errors
    /// Netlink cannot be opened.
    pub fn links(&self) -> io::Result<Links> {
        Links::of(&self.namespace)
    }

    /// Whether it has the address, as the kernel sees it: only then may a socket have it.
    ///
    /// # Errors
    /// The namespace cannot be entered.
    pub fn holds(&self, address: IpAddr) -> io::Result<bool> {
        self.namespace.run(|| UdpSocket::bind(SocketAddr::new(address, 0)).is_ok())
    }
}

fn bridge(segment: usize) -> String {
    format!("segment{segment}")
}

fn port(host: usize, plug: usize) -> String {
    format!("port{host}.{plug}")
}

/// Runs inside a new host, before it has links.
fn prepare(forwards: bool) -> io::Result<()> {
    // Nobody else has these addresses, so that waiting for duplicates would only cost a second.
    set_sysctl("net.ipv6.conf.default.accept_dad", "0")?;
    if forwards {
        set_sysctl("net.ipv4.ip_forward", "1")?;
        set_sysctl("net.ipv6.conf.all.forwarding", "1")?;
    }
    Ok(())
}

/// Runs inside a host: waits for a carrier and a usable link-local address on each link.
fn usable(host: &Host) -> io::Result<()> {
    let plugs = host.layout.plugs.iter().map(|plug| &plug.link);
    for link in plugs.chain(host.layout.tunnel.iter().map(|tunnel| &tunnel.link)) {
        let what = format!("link {link} of {} usable", host.layout.name);
        wait::until(&what, BUILT_WITHIN, || link_local(link)).map_err(io::Error::other)?;
    }
    Ok(())
}

/// Whether the link has a link-local address that is not tentative (flag 0x40).
fn link_local(link: &str) -> bool {
    let text = std::fs::read_to_string("/proc/thread-self/net/if_inet6").unwrap_or_default();
    text.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let flags = words.get(4).and_then(|flags| u32::from_str_radix(flags, 16).ok());
        words.last() == Some(&link)
            && line.starts_with("fe80")
            && flags.is_some_and(|flags| flags & 0x40 == 0)
    })
}
