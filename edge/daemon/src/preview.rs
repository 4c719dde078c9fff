//! What settings would change in the kernel, without a daemon.

use mainstay_api as api;
use mainstay_base::{Machine, Seed};
use mainstay_engine::{Engine, Input, Settings};
use mainstay_linux::clock;
use mainstay_linux::kernel::Kernel;
use mainstay_plan::{Actual, Change};

use crate::{Error, present};

/// The steps that a node with these settings would take at its start, on this machine as it is.
///
/// # Errors
/// The kernel cannot be read, or the network namespace of the settings is not there.
pub fn preview(settings: Settings) -> Result<api::Plan, Error> {
    let actual = match &settings.node.namespace {
        None => look()?,
        Some(name) => {
            let inside = crate::namespace::open(name)?;
            inside
                .run(look)
                .map_err(Error::refused("enter", format!("network namespace `{name}`")))??
        }
    };
    let now = clock::now();
    let mut engine = Engine::start(settings, Seed::default(), now);
    // Whatever it would not use changes nothing.
    let _ = engine.handle_input(Input::Kernel(Change::Whole(Box::new(actual))), now);
    Ok(present::plan(&engine.steps(now)))
}

fn look() -> Result<Actual, Error> {
    let mut kernel = Kernel::open().map_err(Error::refused("open", "netlink"))?;
    kernel.read_whole().map_err(Error::refused("read", "links and addresses"))
}
