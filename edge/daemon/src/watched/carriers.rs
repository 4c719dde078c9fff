//! Links that are asked every second whether they have a carrier, beside the kernel's word.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use mainstay_base::{CarrierSource, LinkName};
use mainstay_linux::carrier::Carriers;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use crate::channel::{EngineSender, ToEngine};
use crate::log;

/// keepalived asks as often.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// What was read; of links that are not there, nothing.
type Readings = BTreeMap<LinkName, bool>;

/// Asks the links for ever, and tells the engine what changed. A driver that lets one wait holds up nothing but this.
pub(super) async fn watch(links: BTreeMap<LinkName, CarrierSource>, engine: EngineSender) {
    let links = Arc::new(links);
    let mut told = Readings::new();
    let mut ticks = interval(ASK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut refused = false;
    loop {
        ticks.tick().await;
        let asked = links.clone();
        match spawn_blocking(move || ask(&asked)).await.map_err(io::Error::other).flatten() {
            Ok(read) => {
                refused = false;
                tell(read, &mut told, &engine);
            }
            Err(error) => {
                if !std::mem::replace(&mut refused, true) {
                    log::warning(format!("links cannot be asked for their carrier: {error}"));
                }
            }
        }
    }
}

fn ask(links: &BTreeMap<LinkName, CarrierSource>) -> io::Result<Readings> {
    let carriers = Carriers::open()?;
    let ask = |(link, source): (&LinkName, &CarrierSource)| {
        Some((link.clone(), carriers.has_carrier(link, *source).ok()?))
    };
    Ok(links.iter().filter_map(ask).collect())
}

fn tell(read: Readings, told: &mut Readings, engine: &EngineSender) {
    for (link, present) in &read {
        let before = told.get(link).copied();
        if before == Some(*present) {
            continue;
        }
        match (present, before) {
            (false, _) => log::warning(format!("link {link} was asked, and has no carrier")),
            (true, Some(_)) => {
                log::report(format!("link {link} was asked, and has a carrier again"))
            }
            (true, None) => {}
        }
        engine.send(ToEngine::CarrierRead { link: link.clone(), present: *present });
    }
    // One that is gone is told afresh when it comes back.
    *told = read;
}

#[cfg(test)]
mod tests;
