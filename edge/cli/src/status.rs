//! `mainstay status`: who holds what, why, and what happened.

use mainstay_api::{Router, State, Status};

use crate::client::Client;
use crate::exit::{Error, Exit};
use crate::{arguments::Show, output};

mod table;

pub use table::render;

/// Shows the status once, or as things change.
pub(crate) fn show(client: &Client, show: &Show) -> Result<Exit, Error> {
    if show.watch {
        return watch(client, show.json);
    }
    let status: Status = client.get("status")?;
    if show.json {
        output::print_json(&status)?;
    } else {
        output::print(&render(&status))?;
    }
    Ok(verdict(&status))
}

/// The answer is no if a router is in Fault.
fn verdict(status: &Status) -> Exit {
    let faulty = |router: &Router| router.state == State::Fault;
    if status.routers.iter().any(faulty) { Exit::No } else { Exit::Good }
}

/// With JSON one event a line; else the table anew at every event and every second, the latest
/// events below it.
fn watch(client: &Client, json: bool) -> Result<Exit, Error> {
    let mut latest: Vec<String> = Vec::new();
    client.follow(|event, status| {
        if json {
            return event.map_or(Ok(()), |event| print_line(&event));
        }
        if let Some(event) = event {
            latest.push(format!("{}  {}", crate::time::moment(event.at_ms), event.text));
            let surplus = latest.len().saturating_sub(EVENTS_SHOWN);
            latest.drain(..surplus);
        }
        output::print(&format!("{CLEAR}{}\n{}\n", render(&status), latest.join("\n")))
    })?;
    output::say("the daemon ended");
    Ok(Exit::Unreachable)
}

fn print_line(event: &mainstay_api::Event) -> Result<(), Error> {
    let json = serde_json::to_string(event).map_err(std::io::Error::from)?;
    output::print(&format!("{json}\n"))
}

const EVENTS_SHOWN: usize = 8;
/// Cursor home, and the screen from there on cleared; taken out where no terminal reads.
const CLEAR: &str = "\x1b[H\x1b[J";
