//! What the daemon serves is documented: each path of the api, each metric.

use syn::visit::{self, Visit};

use super::fault::Fault;
use super::tree::Tree;

/// A file whose words must stand on a page, and which of its words these are.
struct Lock {
    source: &'static str,
    page: &'static str,
    is_meant: fn(&str) -> bool,
}

const LOCKS: [Lock; 3] = [
    Lock {
        source: "edge/daemon/src/server.rs",
        page: "docs/reference/api.md",
        is_meant: |word| word.starts_with('/') && word.len() > 1,
    },
    Lock {
        source: "edge/daemon/src/metrics.rs",
        page: "docs/reference/metrics.md",
        is_meant: is_metric,
    },
    Lock {
        source: "edge/daemon/src/metrics/sessions.rs",
        page: "docs/reference/metrics.md",
        is_meant: is_metric,
    },
];

fn is_metric(word: &str) -> bool {
    word.contains('_') && word.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

/// Paths and metrics that no page names.
pub fn faults(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for lock in &LOCKS {
        let Some(source) = tree.sources.iter().find(|source| source.path == lock.source) else {
            continue;
        };
        let mut words = Words(Vec::new());
        words.visit_file(&source.syntax);
        let page = tree.files.get(lock.page).map_or("", String::as_str);
        let meant = words.0.iter().filter(|word| (lock.is_meant)(word));
        for word in meant.filter(|word| !page.contains(word.as_str())) {
            faults.push(Fault::new(lock.page, format!("does not name `{word}`")));
        }
    }
    faults
}

/// The texts of a file, those of its tests left out.
struct Words(Vec<String>);

impl<'ast> Visit<'ast> for Words {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !super::tree::is_for_tests(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        self.0.push(text.value());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: (&str, &str), page: (&str, &str)) -> usize {
        let files = [source, page].map(|(path, text)| (path.to_owned(), text.to_owned()));
        faults(&Tree::of(files).expect("made-up files parse")).len()
    }

    #[test]
    fn what_is_served_and_not_documented_is_found() {
        let server = ("edge/daemon/src/server.rs", "fn f() { r.route(\"/v1/status\", get(s)); }");
        assert_eq!(found(server, ("docs/reference/api.md", "`GET /v1/status`")), 0);
        assert_eq!(found(server, ("docs/reference/api.md", "`GET /v1/plan`")), 1);
        let metrics = (
            "edge/daemon/src/metrics.rs",
            "const A: &str = \"vrrp_state\"; const B: &str = \"help text\";",
        );
        assert_eq!(found(metrics, ("docs/reference/metrics.md", "`mainstay_vrrp_state`")), 0);
        assert_eq!(found(metrics, ("docs/reference/metrics.md", "")), 1);
        let sessions = ("edge/daemon/src/metrics/sessions.rs", metrics.1);
        assert_eq!(found(sessions, ("docs/reference/metrics.md", "")), 1);
    }
}
