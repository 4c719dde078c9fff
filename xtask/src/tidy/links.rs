//! What documents and comments refer to is there: files, folders, decisions.

use super::fault::Fault;
use super::tree::Tree;

const SHELVES: [&str; 7] =
    ["docs/", "edge/", "examples/", "packaging/", "proof/", "pure/", "xtask/"];

/// Links, paths and decisions that lead nowhere.
pub fn faults(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, text) in &tree.files {
        let is_page = path.ends_with(".md");
        for (index, row) in text.lines().enumerate() {
            let mut dead = dead_decisions(tree, row);
            if is_page {
                dead.extend(dead_links(tree, path, row));
                dead.extend(dead_paths(tree, row));
            }
            let place = format!("{path}:{}", index + 1);
            faults.extend(
                dead.into_iter().map(|what| Fault::new(&place, format!("`{what}` is not there"))),
            );
        }
    }
    faults
}

/// Whether a file or a folder of that path is there.
fn is_there(tree: &Tree, path: &str) -> bool {
    let folder = format!("{}/", path.trim_end_matches('/'));
    tree.files.keys().any(|file| file == path || file.starts_with(&folder))
}

fn dead_links(tree: &Tree, page: &str, row: &str) -> Vec<String> {
    let targets = row.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(to, _)| to);
    let local = targets.filter(|to| !to.contains("://") && !to.starts_with(['#', '<']));
    let resolved = local.map(|to| resolve(page, to.split('#').next().unwrap_or_default()));
    resolved.filter(|path| !is_there(tree, path)).collect()
}

/// A link's path from the workspace's folder: `../a.md` in `docs/x/b.md` is `docs/a.md`.
fn resolve(page: &str, to: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in to.split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            "." | "" => {}
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// Paths in backticks that begin with one of our folders.
fn dead_paths(tree: &Tree, row: &str) -> Vec<String> {
    let quoted = row.split('`').skip(1).step_by(2);
    let plain = |c: char| c.is_alphanumeric() || "/_.-".contains(c);
    let ours = quoted.filter(|text| {
        SHELVES.iter().any(|shelf| text.starts_with(shelf)) && text.chars().all(plain)
    });
    ours.filter(|path| !is_there(tree, path)).map(str::to_owned).collect()
}

/// Decisions cited by number without a page.
fn dead_decisions(tree: &Tree, row: &str) -> Vec<String> {
    let numbers = row.split("decision ").skip(1).filter_map(|rest| rest.get(..4));
    let cited = numbers.filter(|number| number.chars().all(|c| c.is_ascii_digit()));
    let pages = cited.map(|number| format!("docs/decisions/{number}-"));
    pages.filter(|page| !tree.files.keys().any(|path| path.starts_with(page))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        let files = [("docs/decisions/0001-own.md", ""), ("docs/a.md", ""), (path, text)];
        let tree = Tree::of(files.map(|(path, text)| (path.to_owned(), text.to_owned())));
        faults(&tree.expect("no Rust in it")).len()
    }

    #[test]
    fn what_leads_nowhere_is_found() {
        let good = "[a](../a.md#top) [b](https://a.example/x) `docs/a.md` `docs/` decision 0001";
        assert_eq!(found("docs/x/page.md", good), 0);
        for bad in ["[a](a.md)", "[a](../../b)", "`docs/b.md`", concat!("see decision ", "0002")] {
            assert_eq!(found("docs/x/page.md", bad), 1, "{bad}");
        }
        assert_eq!(found("pure/a/src/notes.txt", concat!("decision ", "0009, [a](nowhere.md)")), 1);
    }
}
