//! `mainstay explain`: who holds an address, why, what would follow, and what is odd.
//!
//! It reads the status and nothing else, so that it can say no more than `mainstay status` knows.

use mainstay_api::{Router, State, Status};
use serde::Serialize;

use crate::arguments::Explain;
use crate::client::Client;
use crate::exit::{Error, Exit};
use crate::{output, time};

mod future;
mod odd;

/// What there is to say about one virtual router, each part in sentences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The router.
    pub router: String,
    /// Who holds its addresses, and why.
    pub holder: String,
    /// What would follow if this node died without a word.
    pub if_this_node_dies: String,
    /// What would follow if this node were stopped, switched or drained.
    pub if_this_node_stops: String,
    /// What would follow if the Active died, where that is another node.
    pub if_the_active_dies: Option<String>,
    /// What somebody should look at.
    pub odd: Vec<String>,
}

/// Explains the routers of a name, or all.
pub(crate) fn show(client: &Client, options: &Explain) -> Result<Exit, Error> {
    let status: Status = client.get("status")?;
    let name = options.name.as_deref();
    let is_it = |router: &&Router| {
        name.is_none_or(|name| router.name == name || router.group.as_deref() == Some(name))
    };
    let explanations: Vec<Explanation> =
        status.routers.iter().filter(is_it).map(|router| explain(router, &status)).collect();
    if let (Some(name), true) = (name, explanations.is_empty()) {
        let known: Vec<&str> = status.routers.iter().map(|router| router.name.as_str()).collect();
        let known = match known.as_slice() {
            [] => "this node has no virtual routers".to_owned(),
            names => format!("the names are {}", names.join(", ")),
        };
        let none = format!("virtual router {name}: there is none of that name\n  {known}");
        return Err(Error::Refused(none));
    }
    if options.json {
        output::print_json(&explanations)?;
    } else {
        output::print(&text(&explanations, &odd::of_node(&status)))?;
    }
    Ok(Exit::Good)
}

/// Everything about one router.
pub fn explain(router: &Router, status: &Status) -> Explanation {
    Explanation {
        router: router.name.clone(),
        holder: holder(router, status),
        if_this_node_dies: future::this_node_dies(router, status),
        if_this_node_stops: future::this_node_stops(router, status),
        if_the_active_dies: future::the_active_dies(router, status),
        odd: odd::of_router(router, status),
    }
}

fn holder(router: &Router, status: &Status) -> String {
    let what = addresses(router);
    let since = time::length(status.now_ms.saturating_sub(router.since_ms));
    match (router.state, &router.active) {
        (State::Active, _) => {
            format!("This node ({}) holds {what} for {since}, because {}.", status.node, router.why)
        }
        (State::Backup, Some(active)) => {
            let known = match active.known_by.as_str() {
                "watched" => "it is watched by a session",
                _ => "its advertisements are heard",
            };
            format!(
                "{} holds {what} with priority {}; {known}. This node waits as Backup with priority {} for {since}, because {}.",
                active.address, active.priority, router.effective_priority, router.why
            )
        }
        (State::Backup, None) => format!(
            "Nobody is known to hold {what}. This node waits as Backup with priority {} for {since}, because {}.",
            router.effective_priority, router.why
        ),
        (State::Fault, _) => format!(
            "This node cannot hold {what} for {since}, because {}. Who does is not looked at in Fault.",
            router.why
        ),
        (State::Initialize, _) => {
            format!("This node takes no part in {what} for {since}, because {}.", router.why)
        }
    }
}

/// The first address, and how many more there are.
fn addresses(router: &Router) -> String {
    match router.addresses.as_slice() {
        [] => "no address".to_owned(),
        [one] => one.address.clone(),
        [first, rest @ ..] => format!("{} and {} more", first.address, rest.len()),
    }
}

fn text(explanations: &[Explanation], of_node: &[String]) -> String {
    let mut text = String::new();
    for explanation in explanations {
        let Explanation { router, holder, odd, .. } = explanation;
        text.push_str(&format!("{router}\n  {holder}\n"));
        let futures = [
            Some(&explanation.if_this_node_dies),
            explanation.if_the_active_dies.as_ref(),
            Some(&explanation.if_this_node_stops),
        ];
        for future in futures.into_iter().flatten() {
            text.push_str(&format!("  {future}\n"));
        }
        for remark in odd {
            text.push_str(&format!("  odd: {remark}\n"));
        }
    }
    for remark in of_node {
        text.push_str(&format!("odd on this node: {remark}\n"));
    }
    text
}

#[cfg(test)]
mod tests;
