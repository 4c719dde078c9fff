//! keepalived.conf, read as keepalived reads it.
//!
//! Text becomes lines (`reader`: comments, includes, definitions, repetitions), lines become
//! statements with blocks (`tree`), statements become drafts (`blocks`), and drafts become
//! settings (`complete`, `join`). Nothing in a text is fatal: what is wrong costs itself, or at most its
//! instance, and is said.

mod address;
mod advertised;
mod announcing;
mod bfd;
mod blocks;
mod comments;
mod complete;
mod expand;
mod globals;
mod group;
mod hmac;
mod include;
mod instance;
mod ipvlan;
mod join;
mod keywords;
mod line;
mod polling;
mod reader;
mod routing;
mod script;
mod strict;
mod telling;
mod tree;
mod umask;
mod unknown;
mod values;
mod vmac;
mod watched;
mod words;

pub use keywords::{Block, Form, Keyword, Status, keywords};
pub use umask::umask;

use self::tree::Statement;
use crate::fault::Faults;
use crate::{Code, Fault, Loaded, Sources, Surroundings};

/// Reads the file (or the files, by a pattern) at a path.
pub fn load(path: &str, sources: &mut dyn Sources, surroundings: &Surroundings) -> Loaded {
    let mut faults = Faults::default();
    let mut reader = reader::Reader::new(sources, surroundings);
    let opened = reader.open_main(path, &mut faults);
    let statements = tree::read(&mut reader, &mut faults);
    let whole = opened && !reader.cut_short;
    let mut settings = whole.then(|| {
        let mut drafts = blocks::read(&statements, &mut *reader.sources, &mut faults);
        if drafts.instances.is_empty() {
            faults.add(no_routers(&statements));
        }
        let hmacs = drafts.instances.iter_mut().filter_map(|draft| draft.hmac.as_mut());
        hmac::read_files(hmacs, reader.sources);
        join::settings(drafts, &mut faults)
    });
    if let Some(settings) = &mut settings {
        // Without a name of its own the instance is named like the host, which says nothing.
        let host = surroundings.host_name.split('.').next();
        let id = Some(&reader.definitions.id).filter(|id| Some(id.as_str()) != host);
        let dumps = &mut settings.telling.dumps;
        dumps.with_instance = dumps.with_instance.take().and(id.cloned());
    }
    let sources = reader.map;
    Loaded { settings, faults: faults.finish(), sources }
}

/// What is said of a text in which nobody answers for an address. One that was emptied, or whose instances have a
/// slip in their keyword, is faulty; one that has other things to do may be meant.
fn no_routers(statements: &[Statement]) -> Fault {
    const ELSEWHERE: [&str; 2] = ["virtual_server", "virtual_server_group"];
    const ALONE: [&str; 4] = ["bfd_instance", "static_ipaddress", "static_routes", "static_rules"];
    let mut keywords = statements.iter().map(Statement::keyword);
    let has_others = keywords.any(|word| ELSEWHERE.contains(&word) || ALONE.contains(&word));
    let message = "there is no virtual router in this configuration: no address is kept answering";
    let kind = if has_others { Fault::warning } else { Fault::error };
    kind(Code::NoRouters, message.to_owned())
        .help("add `vrrp_instance NAME { … }`; to have a daemon let go of its addresses, stop it")
}
