//! `switch`, `drain`, `undrain`, `upgrade`: asks, waits, says what came of it.

use std::net::{IpAddr, ToSocketAddrs};
use std::path::Path;
use std::time::{Duration, Instant};

use mainstay_api::{self as api, Reply, Status};
use serde::Serialize;

use crate::arguments::{Moved, Switch};
use crate::client::Client;
use crate::exit::{Error, Exit};
use crate::{output, time};

/// A handover may last as long as the slowest successor may wait: the longest interval of version 3
/// (40.95 s) and what the daemon adds.
const HANDOVER_WITHIN: Duration = Duration::from_secs(60);
/// An upgrade starts two processes, each of which reads the kernel and the configuration.
const UPGRADE_WITHIN: Duration = Duration::from_secs(30);
/// Between the end of one process and the start of the next nobody answers for a moment, never for so long.
const SILENT_WITHIN: Duration = Duration::from_secs(10);
/// How often an upgraded daemon is asked whether it is there.
const ASKED_EVERY: Duration = Duration::from_millis(20);

/// `mainstay switch NAME [--to NODE-OR-ADDRESS]`.
pub(crate) fn switch(directory: &Path, options: &Switch) -> Result<Exit, Error> {
    let client = Client::new(directory)?;
    let to = match &options.to {
        None => None,
        Some(to) => Some(successor(to, &options.name, &client)?.to_string()),
    };
    let order = api::Switch { router: options.name.clone(), to };
    conclude(&ask(&client, "switch", &order, &format!("switching {}", options.name))?, options.json)
}

/// `mainstay drain [NAME]` and `mainstay undrain [NAME]`; `verb` is the path of the api.
pub(crate) fn drain(directory: &Path, verb: &str, options: &Moved) -> Result<Exit, Error> {
    let client = Client::new(directory)?;
    let order = api::Drain { router: options.name.clone() };
    let object = options.name.as_deref().unwrap_or("the node");
    conclude(&ask(&client, verb, &order, &format!("{verb}ing {object}"))?, options.json)
}

/// `mainstay upgrade`: the daemon becomes the program that is installed now; done once that one answers.
pub(crate) fn upgrade(directory: &Path, json: bool) -> Result<Exit, Error> {
    let client = Client::new(directory)?;
    let before: Status = client.get("status")?;
    let began = Instant::now();
    match ask(&client, "upgrade", &(), "upgrading") {
        Ok(reply) if reply.done => {}
        Ok(reply) => return conclude(&reply, json),
        // It has ended before it could say so: whether another one goes on is seen below.
        Err(Error::Unreachable { .. }) => {}
        Err(error) => return Err(error),
    }
    let after = wait_for_another(&client, &before, began)?;
    let message = format!(
        "upgraded: mainstay {} (pid {}) took over from {} (pid {}) after {}",
        after.version,
        after.pid,
        before.version,
        before.pid,
        time::micros(micros(began.elapsed()))
    );
    conclude(&Reply::done(message), json)
}

/// The status of the process that took the place of the one before, once it stands as that one stood.
fn wait_for_another(client: &Client, before: &Status, began: Instant) -> Result<Status, Error> {
    let mut waiting = Waiting::new("upgrading");
    let mut silent_since = None;
    loop {
        match client.get::<Status>("status") {
            Ok(status) if status.pid != before.pid => return Ok(status),
            Ok(_) if began.elapsed() < UPGRADE_WITHIN => silent_since = None,
            Err(_) if silent_since.get_or_insert_with(Instant::now).elapsed() < SILENT_WITHIN => {}
            Ok(_) => {
                let message = format!(
                    "process {} is in charge still after {} s; the log says why",
                    before.pid,
                    UPGRADE_WITHIN.as_secs()
                );
                return Err(Error::Refused(message));
            }
            Err(_) => {
                let message = format!(
                    "process {} has ended and for {} s nobody has answered in its place: it was stopped or died \
                     meanwhile, and the log says why",
                    before.pid,
                    SILENT_WITHIN.as_secs()
                );
                return Err(Error::Refused(message));
            }
        }
        waiting.say_after(began.elapsed());
        client.wait(ASKED_EVERY);
    }
}

fn ask(client: &Client, verb: &str, order: &impl Serialize, what: &str) -> Result<Reply, Error> {
    let mut waiting = Waiting::new(what);
    client.order(verb, order, HANDOVER_WITHIN, |elapsed| waiting.say_after(elapsed))
}

/// What is said to somebody who waits: a line after each second.
struct Waiting<'a> {
    what: &'a str,
    said: u64,
}

impl Waiting<'_> {
    fn new(what: &str) -> Waiting<'_> {
        Waiting { what, said: 0 }
    }

    fn say_after(&mut self, elapsed: Duration) {
        if elapsed.as_secs() > self.said {
            self.said = elapsed.as_secs();
            output::say(&format!("{} … {} s", self.what, self.said));
        }
    }
}

/// Shows what came of it; refused is refused in JSON, too.
fn conclude(reply: &Reply, json: bool) -> Result<Exit, Error> {
    if json {
        output::print_json(reply)?;
        return Ok(if reply.done { Exit::Good } else { Exit::Refused });
    }
    if !reply.done {
        return Err(Error::Refused(refusal(reply)));
    }
    output::print(&text(reply))?;
    Ok(Exit::Good)
}

/// Each router that moved on a line of its own, then what came of it all.
fn text(reply: &Reply) -> String {
    let line = |moved: &api::Handover| {
        let to = moved.to.as_deref().unwrap_or("another node");
        format!("{}: handed over to {to} after {}\n", moved.router, time::micros(moved.after_us))
    };
    let lines: String = reply.handovers.iter().map(line).collect();
    format!("{lines}{}\n", reply.message)
}

fn refusal(reply: &Reply) -> String {
    if reply.refusals.is_empty() {
        return reply.message.clone();
    }
    let line = |refusal: &api::Refusal| {
        format!("{}: {}\n  {}", refusal.object, refusal.reason, refusal.remedy)
    };
    let lines: Vec<String> = reply.refusals.iter().map(line).collect();
    lines.join("\n")
}

/// The address of the node that shall take over: as written, or the one of a host's addresses under which
/// the router's link knows a peer.
fn successor(to: &str, router: &str, client: &Client) -> Result<IpAddr, Error> {
    if let Ok(address) = to.parse() {
        return Ok(address);
    }
    let found: Vec<IpAddr> = (to, 0)
        .to_socket_addrs()
        .map_err(|error| unknown_node(to, &format!("cannot be resolved: {error}")))?
        .map(|address| address.ip())
        .collect();
    let known = known_peers(&client.get("status")?, router);
    if let Some(address) = found.iter().find(|address| known.contains(&address.to_string())) {
        return Ok(*address);
    }
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Err(unknown_node(
        to,
        &format!("is {}, none of which is a peer of {router} (known: {known})", found.join(", ")),
    ))
}

fn unknown_node(node: &str, why: &str) -> Error {
    Error::Refused(format!(
        "node {node}: {why}\n  say the address that it advertises from; `mainstay status` shows it"
    ))
}

/// Whom a router has heard, and who is watched on its link.
fn known_peers(status: &Status, name: &str) -> Vec<String> {
    let of_name =
        |router: &&api::Router| router.name == name || router.group.as_deref() == Some(name);
    let mut known: Vec<String> = Vec::new();
    for router in status.routers.iter().filter(of_name) {
        known.extend(router.peers.iter().map(|peer| peer.address.clone()));
        let sessions = status.detection.sessions.iter();
        let there = sessions.filter(|session| session.link == router.link);
        known.extend(there.map(|session| session.peer.clone()));
    }
    known.sort();
    known.dedup();
    known
}

fn micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_router_that_moved_has_its_line() {
        let moved = |router: &str, to: Option<&str>, after_us| api::Handover {
            router: router.to_owned(),
            to: to.map(ToOwned::to_owned),
            after_us,
        };
        let handovers =
            vec![moved("VI_1", Some("10.0.0.2"), 7_400), moved("VI_2", None, 1_204_000)];
        let reply = Reply { handovers, ..Reply::done("the node is drained") };
        assert_eq!(
            text(&reply),
            "VI_1: handed over to 10.0.0.2 after 7.4ms\n\
             VI_2: handed over to another node after 1.20s\n\
             the node is drained\n"
        );
    }

    #[test]
    fn a_refusal_names_object_reason_and_remedy() {
        let refusal = api::Refusal {
            object: "virtual router VI_1".to_owned(),
            reason: "it is not Active here".to_owned(),
            remedy: "switch it on 10.0.0.2".to_owned(),
        };
        let reply = Reply { refusals: vec![refusal], ..Reply::refused("refused") };
        let shown = super::refusal(&reply);
        assert_eq!(shown, "virtual router VI_1: it is not Active here\n  switch it on 10.0.0.2");
    }
}
