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
mod include;
mod instance;
mod join;
mod keywords;
mod line;
mod reader;
mod script;
mod strict;
mod tree;
mod unknown;
mod values;
mod vmac;
mod watched;
mod words;

pub use keywords::{Block, Form, Keyword, Status, keywords};

use crate::fault::Faults;
use crate::{Loaded, Sources, Surroundings};

/// Reads the file (or the files, by a pattern) at a path.
pub fn load(path: &str, sources: &mut dyn Sources, surroundings: &Surroundings) -> Loaded {
    let mut faults = Faults::default();
    let mut reader = reader::Reader::new(sources, surroundings);
    let opened = reader.open_main(path, &mut faults);
    let statements = tree::read(&mut reader, &mut faults);
    let whole = opened && !reader.cut_short;
    let settings =
        whole.then(|| join::settings(blocks::read(&statements, &mut faults), &mut faults));
    let sources = reader.map;
    Loaded { settings, faults: faults.finish(), sources }
}
