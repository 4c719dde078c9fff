//! Who should be Active, from settings and facts alone: the reference beside the engines.

use mainstay_engine::vrrp::{
    GroupSettings, Name, Preempt, RouterSettings, TrackLink, TrackScript, Weight,
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

fn preempts(node: &Node, router: &Name) -> bool {
    let settings = node.settings.vrrp.routers.iter().find(|settings| settings.name == *router);
    settings.is_some_and(|settings| settings.preempt != Preempt::Never)
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
