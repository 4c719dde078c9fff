//! Nothing in `pure/` touches the world: no sockets, files, clocks, threads, entropy, floats.

use std::path::Path;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::fault::Fault;
use super::tree::{Source, Tree, imports, is_for_tests, segments};
use crate::metadata::Metadata;

const SHELF: &str = "pure/";

/// Paths of the standard library that reach out, or whose order or content differs from run to run.
const OUTSIDE: [&str; 16] = [
    "std::collections::HashMap",
    "std::collections::HashSet",
    "std::collections::hash_map",
    "std::collections::hash_set",
    "std::env",
    "std::fs",
    "std::hash::RandomState",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::UdpSocket",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "tokio",
];

/// Packages that bring IO, clocks, entropy or async with them.
const IMPURE: [&str; 17] = [
    "async-std",
    "chrono",
    "fastrand",
    "futures",
    "getrandom",
    "hyper",
    "libc",
    "mio",
    "netlink-sys",
    "nix",
    "rand",
    "rand_core",
    "rustix",
    "smol",
    "socket2",
    "time",
    "tokio",
];

/// Uses of the outside world in the files of `pure/`, tests left out.
pub fn faults(tree: &Tree) -> Vec<Fault> {
    let inside = |source: &&Source| source.path.starts_with(SHELF) && !source.is_test();
    tree.sources.iter().filter(inside).flat_map(of_file).collect()
}

/// Pure crates that are built upon something impure.
pub fn of_workspace(root: &Path) -> Vec<Fault> {
    let metadata = match Metadata::read(root) {
        Ok(metadata) => metadata,
        Err(error) => return vec![Fault::new("Cargo.toml", error)],
    };
    let pure = std::fs::read_dir(root.join(SHELF)).into_iter().flatten().flatten();
    let names = pure.filter_map(|entry| entry.file_name().into_string().ok());
    names
        .map(|name| format!("mainstay-{name}"))
        .flat_map(|name| impure_packages(&name, metadata.tree_below(&name)))
        .collect()
}

fn impure_packages<'a>(name: &str, below: impl IntoIterator<Item = &'a str>) -> Vec<Fault> {
    let impure = below.into_iter().filter(|package| IMPURE.contains(package));
    impure.map(|package| Fault::new(name, format!("is built upon `{package}`"))).collect()
}

fn of_file(source: &Source) -> Vec<Fault> {
    let mut finder = Finder { found: Vec::new() };
    finder.visit_file(&source.syntax);
    let place = |line: usize| format!("{}:{line}", source.path);
    finder.found.into_iter().map(|(line, what)| Fault::new(place(line), what)).collect()
}

struct Finder {
    found: Vec<(usize, String)>,
}

impl Finder {
    fn look_at(&mut self, line: usize, path: &[String]) {
        let path = path.join("::");
        let reaches = |outside: &&&str| {
            path.strip_prefix(**outside)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        if let Some(outside) = OUTSIDE.iter().find(reaches) {
            self.found.push((line, format!("`{outside}` has no place in pure/")));
        }
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_for_tests(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, import: &'ast syn::ItemUse) {
        for (path, _) in imports(&import.tree) {
            self.look_at(import.span().start().line, &path);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let line = path.span().start().line;
        self.look_at(line, &segments(path));
        if path.is_ident("f32") || path.is_ident("f64") {
            self.found.push((line, "floats decide nothing in pure/".to_owned()));
        }
        visit::visit_path(self, path);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        if signature.asyncness.is_some() {
            self.found.push((signature.span().start().line, "async in pure/".to_owned()));
        }
        visit::visit_signature(self, signature);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reach_into_the_world_is_found() {
        let bad = [
            "use std::net::{IpAddr, UdpSocket};",
            "use std::{fs::File, fmt};",
            "fn f() { std::thread::yield_now() }",
            "use std::time::Instant;",
            "use std::collections::HashMap;",
            "async fn f() {}",
            "fn f(x: f64) {}",
        ];
        for text in bad {
            assert_eq!(faults(&Tree::with("pure/a/src/lib.rs", text)).len(), 1, "{text}");
            assert!(faults(&Tree::with("edge/a/src/lib.rs", text)).is_empty(), "{text}");
        }
        let good =
            "use std::time::Duration; use std::net::IpAddr; #[cfg(test)] mod t { use std::fs; }";
        assert!(faults(&Tree::with("pure/a/src/lib.rs", good)).is_empty());
    }

    #[test]
    fn an_impure_package_below_is_found() {
        assert_eq!(impure_packages("mainstay-vrrp", ["serde", "tokio"]).len(), 1);
        assert!(impure_packages("mainstay-vrrp", ["serde"]).is_empty());
    }
}
