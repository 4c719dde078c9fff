//! `mainstay import`: the configuration of another program in mainstay's own language.

use mainstay_config::native;

use crate::arguments::{Configuration, Import, ImportFrom};
use crate::exit::{Error, Exit};
use crate::output;

/// Writes the TOML to standard output and every remark to standard error.
pub(crate) fn import(import: &Import) -> Result<Exit, Error> {
    let ImportFrom::Keepalived { file, config_id } = &import.from;
    let (keepalived, config_id) = (Some(file.clone()), config_id.clone());
    let loaded = Configuration { keepalived, config: None, config_id }.load_to_start(None);
    if !loaded.faults.is_empty() {
        output::say(mainstay_config::render(&loaded.faults, &loaded.sources, true).trim_end());
    }
    let Some(settings) = &loaded.settings else { return Ok(Exit::No) };
    output::print(&native::write(settings))?;
    Ok(if loaded.has_errors() { Exit::No } else { Exit::Good })
}
