//! Who should be Active, from settings and facts alone: the reference beside the engines.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::Instant;
use mainstay_engine::bfd::{self, SessionView, State};
use mainstay_engine::vrrp::{
    GroupSettings, Name, Preempt, RouterSettings, RouterView, StateName, TrackLink, TrackScript,
    Weight,
};

use crate::cluster::{Cluster, Node};

/// The effective priority of a router on a node, or none where it is unfit or not there.
pub fn priority(node: &Node, router: &Name) -> Option<u8> {
    let vrrp = &node.settings.vrrp;
    let settings = vrrp.routers.iter().find(|settings| settings.name == *router)?;
    let Some(group) = vrrp.groups.iter().find(|group| group.members.contains(router)) else {
        return alone(node, settings, None);
    };
    let members = vrrp.routers.iter().filter(|other| group.members.contains(&other.name));
    let all_fit = members.map(|member| alone(node, member, Some(group))).all(|fit| fit.is_some());
    if all_fit { alone(node, settings, Some(group)) } else { None }
}

/// Whether a node is a right one to be Active: it is fit, and nobody who is fit and preempts has more right.
pub fn is_right(cluster: &Cluster, active: usize, router: &Name) -> bool {
    let Some(standing) = priority(&cluster.nodes[active], router) else { return false };
    let candidates = cluster.nodes.iter().filter(|node| node.serves());
    let more = candidates.filter(|node| preempts(node, router));
    more.filter_map(|node| priority(node, router)).all(|priority| priority <= standing)
}

/// Whether anybody can be Active.
pub fn anybody_fit(cluster: &Cluster, router: &Name) -> bool {
    cluster.nodes.iter().any(|node| node.serves() && priority(node, router).is_some())
}

/// How long a silence a node takes for death, if it watches another by a session with the address from which that
/// one advertises a router.
pub fn watches(
    cluster: &Cluster,
    watcher: usize,
    watched: usize,
    router: &RouterSettings,
) -> Option<Duration> {
    session(cluster, watcher, watched, router)?.detection
}

/// The same if that one has kept its rhythm: a farewell is answered as if it had.
pub fn agreed(
    cluster: &Cluster,
    watcher: usize,
    watched: usize,
    router: &RouterSettings,
) -> Option<Duration> {
    let interval = session(cluster, watcher, watched, router)?.receive_interval?;
    let times = u32::from(cluster.nodes[watcher].settings.detection.multiplier);
    Some(bfd::detection_of_asked(interval, interval * times))
}

/// The session by which a node watches another from whose address a router is advertised.
fn session(
    cluster: &Cluster,
    watcher: usize,
    watched: usize,
    router: &RouterSettings,
) -> Option<SessionView> {
    let status = cluster.nodes[watcher].engine.as_ref()?.status(Instant::ZERO);
    let view = status.vrrp.routers.iter().find(|view| view.name == router.name)?;
    let active = view.active.as_ref()?.address;
    let believed = status.sessions.into_iter().find(|watch| {
        watch.link == router.link
            && watch.session.peer.remote == active
            && watch.session.state == State::Up
            && watch.held_until.is_none()
    });
    Some(believed.filter(|_| is_own(cluster, watched, active))?.session)
}

/// Whether a node has heard, since it is Backup, that another is Active.
fn knows(cluster: &Cluster, listener: usize, active: usize, router: &Name) -> bool {
    let view = view(&cluster.nodes[listener], router);
    let known = view.filter(|view| view.standing.state == StateName::Backup);
    known.is_none_or(|view| {
        view.active.as_ref().is_some_and(|heard| is_own(cluster, active, heard.address))
    })
}

/// What the engine of a node shows of a router.
fn view(node: &Node, router: &Name) -> Option<RouterView> {
    let status = node.engine.as_ref()?.status(Instant::ZERO);
    status.vrrp.routers.into_iter().find(|view| view.name == *router)
}

fn is_own(cluster: &Cluster, number: usize, address: IpAddr) -> bool {
    let mut own = cluster.scenario.nodes[number].own.iter().flatten();
    own.any(|own| own.ip() == address)
}

/// What is not as it should be, if anything: of each router one right Active, its clients with that node, and the
/// other nodes watching it where both do so.
pub fn complaint(cluster: &Cluster) -> Option<String> {
    cluster.routers().iter().find_map(|router| {
        let actives = cluster.actives(&router.name);
        let [(active, _)] = actives[..] else {
            let nodes: Vec<usize> = actives.iter().map(|(node, _)| *node).collect();
            return Some(format!("{} is Active on nodes {nodes:?}", router.name));
        };
        if !is_right(cluster, active, &router.name) {
            return Some(format!("{} is Active on node {active}, which is not right", router.name));
        }
        astray(cluster, active, &router.name).or_else(|| unwatched(cluster, active, router))
    })
}

fn astray(cluster: &Cluster, active: usize, router: &Name) -> Option<String> {
    let mut clients = cluster.clients.iter().filter(|client| client.router == *router);
    let lost = clients.find(|client| {
        client.entry != Some(active) || client.earlier.is_some() || !client.is_answered()
    })?;
    let (address, entry) = (lost.address, lost.entry);
    Some(format!("the client of {address} is at node {entry:?} instead of {active}"))
}

fn unwatched(cluster: &Cluster, active: usize, router: &RouterSettings) -> Option<String> {
    let nodes = 0..cluster.nodes.len();
    let mut others = nodes.clone().filter(|other| *other != active);
    if let Some(ignorant) = others.find(|other| !knows(cluster, *other, active, &router.name)) {
        return Some(format!("node {ignorant} has not heard that {} is Active", router.name));
    }
    let detects = |number: usize| {
        cluster.nodes[number].serves() && cluster.nodes[number].settings.detection.on
    };
    let mut others = nodes.filter(|other| *other != active);
    let blind = others.find(|other| {
        detects(*other) && detects(active) && watches(cluster, *other, active, router).is_none()
    })?;
    Some(format!("node {blind} does not watch node {active}, the Active of {}", router.name))
}

fn preempts(node: &Node, router: &Name) -> bool {
    let settings = node.settings.vrrp.routers.iter().find(|settings| settings.name == *router);
    settings.is_some_and(|settings| settings.preempt != Preempt::Never)
        && view(node, router).is_none_or(|view| !view.standing.stands_back)
}

fn alone(node: &Node, router: &RouterSettings, group: Option<&GroupSettings>) -> Option<u8> {
    if router.track_own_link && !link_is_up(node, &router.link) {
        return None;
    }
    let mut sum = i32::from(router.priority.get());
    let (no_links, no_scripts) = (Vec::new(), Vec::new());
    let group_links = group.map_or(&no_links, |group| &group.track_links);
    let group_scripts = group.map_or(&no_scripts, |group| &group.track_scripts);
    for (up, weight) in links(node, &router.track_links).chain(links(node, group_links)) {
        sum += effect(up, weight)?;
    }
    for (up, weight) in scripts(node, &router.track_scripts).chain(scripts(node, group_scripts)) {
        sum += effect(up, weight)?;
    }
    if node.drained {
        return Some(1);
    }
    if router.priority.is_owner() {
        return Some(255);
    }
    Some(u8::try_from(sum.clamp(1, 254)).expect("clamped to a byte"))
}

/// What a tracked thing does to the priority; none: it makes the router unfit.
fn effect(up: bool, weight: Weight) -> Option<i32> {
    let up = up != weight.reverse;
    match (weight.value, up) {
        (0, true) => Some(0),
        (0, false) => None,
        (value @ 1.., true) | (value @ ..0, false) => Some(i32::from(value)),
        (1.., false) | (..0, true) => Some(0),
    }
}

fn links<'a>(
    node: &'a Node,
    tracked: &'a [TrackLink],
) -> impl Iterator<Item = (bool, Weight)> + 'a {
    tracked.iter().map(|track| (link_is_up(node, &track.link), track.weight))
}

fn link_is_up(node: &Node, name: &mainstay_base::LinkName) -> bool {
    node.kernel.actual().link_named(name).is_some_and(|link| link.up)
}

fn scripts<'a>(
    node: &'a Node,
    tracked: &'a [TrackScript],
) -> impl Iterator<Item = (bool, Weight)> + 'a {
    let all = &node.settings.vrrp.scripts;
    tracked.iter().filter_map(|track| {
        let number = all.iter().position(|script| script.name == track.script)?;
        Some((node.scripts_good[number], track.weight.unwrap_or(all[number].weight)))
    })
}
