//! The page of keepalived's keywords and what becomes of each.

use std::collections::BTreeMap;

use mainstay_config::keepalived::{Block, Keyword, Status, keywords};

use crate::table::{GENERATED, table};

const HEAD: &str = "# Keywords of keepalived.conf

What becomes of each keyword. *Carried out*: it does what it does in keepalived. *No effect*: it is read, and a warning names it.
*Skipped*: it belongs to another subsystem and is passed over without a word. *Refused*: leaving it out would be dangerous, so
its block is not run. Keywords that are not listed are unknown: `mainstay check` says so, and the daemon runs on without them.
";

/// `docs/reference/keepalived-keywords.md`.
pub fn page() -> String {
    let mut by_block: BTreeMap<Block, Vec<&Keyword>> = BTreeMap::new();
    for keyword in keywords() {
        by_block.entry(keyword.block).or_default().push(keyword);
    }
    let mut text = format!("{GENERATED}{HEAD}");
    for (block, mut keywords) in by_block {
        keywords.sort_by_key(|keyword| keyword.name);
        let rows = keywords
            .into_iter()
            .map(|keyword| vec![format!("`{}`", keyword.name), fate(keyword.status)]);
        text.push_str(&format!("\n## Words {}\n\n", block.place()));
        text.push_str(&table(&["keyword", "what becomes of it"], rows));
    }
    text
}

fn fate(status: Status) -> String {
    match status {
        Status::CarriedOut => "carried out".to_owned(),
        Status::Added => "carried out; keepalived does not know it".to_owned(),
        Status::NoEffect(reason) => format!("no effect: {reason}"),
        Status::Skipped(reason) => format!("skipped: {reason}"),
        Status::Refused(reason) => format!("refused: {reason}"),
    }
}
