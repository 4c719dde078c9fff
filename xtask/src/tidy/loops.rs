//! No import loops between the files of one crate: reading down is going deeper.

use std::collections::{BTreeMap, BTreeSet};

use syn::Item;
use syn::visit::{self, Visit};

use super::fault::Fault;
use super::tree::{Source, Tree, imports, is_for_tests, segments};

type ModulePath = Vec<String>;

/// One file of a crate: where it stands in the tree of modules, and what names it brings in.
struct Module<'a> {
    source: &'a Source,
    aliases: BTreeMap<String, Vec<String>>,
}

type Modules<'a> = BTreeMap<ModulePath, Module<'a>>;

/// Loops of files that import each other.
pub fn faults(tree: &Tree) -> Vec<Fault> {
    let mut crates: BTreeMap<&str, Modules<'_>> = BTreeMap::new();
    for source in tree.sources.iter().filter(|source| !source.is_test()) {
        if let Some((folder, path)) = place(&source.path) {
            crates.entry(folder).or_default().insert(path, Module::of(source));
        }
    }
    crates.values().flat_map(loops).collect()
}

/// The crate's folder and the module path of a file: `pure/vrrp/src/state.rs` gives `pure/vrrp`, `[state]`.
fn place(path: &str) -> Option<(&str, ModulePath)> {
    let (folder, inner) = path.split_once("/src/")?;
    let inner = inner.strip_suffix(".rs")?;
    let mut parts: ModulePath = inner.split('/').map(str::to_owned).collect();
    let whole = parts.len() == 1 && matches!(parts[0].as_str(), "lib" | "main");
    if whole || parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    Some((folder, parts))
}

impl<'a> Module<'a> {
    fn of(source: &'a Source) -> Module<'a> {
        let mut module = Module { source, aliases: BTreeMap::new() };
        for item in source.syntax.items.iter().filter(|item| !is_for_tests(item)) {
            if let Item::Use(import) = item {
                module.take_in(&import.tree);
            }
        }
        module
    }

    fn take_in(&mut self, tree: &syn::UseTree) {
        let named = imports(tree).into_iter().filter(|(_, name)| name != "*");
        self.aliases.extend(named.map(|(path, name)| (name, path)));
    }
}

/// The paths that a file uses, outside of its tests.
#[derive(Default)]
struct Uses {
    paths: Vec<Vec<String>>,
}

impl<'ast> Visit<'ast> for Uses {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, import: &'ast syn::ItemUse) {
        self.paths.extend(imports(&import.tree).into_iter().map(|(path, _)| path));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let path_segments = segments(path);
        if path_segments.len() > 1 {
            self.paths.push(path_segments);
        }
        visit::visit_path(self, path);
    }
}

fn loops(modules: &Modules<'_>) -> Vec<Fault> {
    let edges: BTreeMap<&ModulePath, BTreeSet<&ModulePath>> =
        modules.iter().map(|(path, module)| (path, targets(modules, path, module))).collect();
    let reachable: BTreeMap<&ModulePath, BTreeSet<&ModulePath>> =
        edges.keys().map(|path| (*path, reach(&edges, path))).collect();
    let mut told = BTreeSet::new();
    let mut faults = Vec::new();
    for (path, reached) in &reachable {
        let members: Vec<&ModulePath> =
            reached.iter().filter(|other| reachable[*other].contains(path)).copied().collect();
        if members.len() > 1 && members.iter().all(|member| told.insert((*member).clone())) {
            let names: Vec<&str> =
                members.iter().map(|member| modules[*member].source.path.as_str()).collect();
            faults.push(Fault::new(names[0], format!("import loop: {}", names.join(", "))));
        }
    }
    faults
}

fn reach<'a>(
    edges: &BTreeMap<&'a ModulePath, BTreeSet<&'a ModulePath>>,
    start: &'a ModulePath,
) -> BTreeSet<&'a ModulePath> {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![start];
    while let Some(path) = waiting.pop() {
        waiting.extend(edges[path].iter().copied().filter(|next| seen.insert(*next)));
    }
    seen
}

/// The other files of the crate that a file imports from.
fn targets<'a>(
    modules: &'a Modules<'_>,
    path: &'a ModulePath,
    module: &Module<'_>,
) -> BTreeSet<&'a ModulePath> {
    let mut uses = Uses::default();
    uses.visit_file(&module.source.syntax);
    let found = uses.paths.iter().filter_map(|used| resolve(modules, path, used, 0));
    found.filter(|target| *target != path).collect()
}

/// The file that a path used in the file `from` leads to, through re-exports; none if it leads out of the crate.
fn resolve<'a>(
    modules: &'a Modules<'_>,
    from: &'a ModulePath,
    used: &[String],
    depth: usize,
) -> Option<&'a ModulePath> {
    let (mut at, mut rest) = beginning(modules, from, used)?;
    while let Some((next, after)) = rest.split_first() {
        let mut child = at.clone();
        child.push(next.clone());
        let module = &modules[at];
        if let Some((path, _)) = modules.get_key_value(&child) {
            (at, rest) = (path, after);
        } else if let Some(alias) = module.aliases.get(next).filter(|_| depth < 16) {
            let longer = [alias.as_slice(), after].concat();
            return resolve(modules, at, &longer, depth + 1);
        } else {
            break;
        }
    }
    Some(at)
}

/// Where a path begins: after `crate`, `self`, `super`, or a child module of the file itself.
fn beginning<'a, 'u>(
    modules: &'a Modules<'_>,
    from: &'a ModulePath,
    used: &'u [String],
) -> Option<(&'a ModulePath, &'u [String])> {
    let (first, after) = used.split_first()?;
    let key = |path: &[String]| modules.get_key_value(path).map(|(path, _)| path);
    match first.as_str() {
        "crate" => Some((key(&[])?, after)),
        "self" => Some((from, after)),
        "super" => {
            let ups = used.iter().take_while(|part| *part == "super").count();
            let kept = from.len().checked_sub(ups)?;
            Some((key(&from[..kept])?, &used[ups..]))
        }
        _ => {
            let mut child = from.clone();
            child.push(first.clone());
            Some((key(&child)?, after))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> usize {
        let texts =
            files.iter().map(|(path, text)| (format!("pure/a/src/{path}"), (*text).to_owned()));
        faults(&Tree::of(texts).expect("made-up files parse")).len()
    }

    #[test]
    fn files_that_import_each_other_are_found() {
        assert_eq!(
            found(&[("x.rs", "use crate::y::Y;"), ("y.rs", "use super::x::X;"), ("lib.rs", "")]),
            1
        );
        assert_eq!(
            found(&[("x.rs", "use crate::y::Y;"), ("y.rs", "struct Y;"), ("lib.rs", "")]),
            0
        );
    }

    #[test]
    fn a_reexport_leads_to_the_file_that_defines() {
        let root = "mod x; mod y; pub use y::Y; pub use x::X;";
        let down = [("lib.rs", root), ("x.rs", "use crate::Y;"), ("y.rs", "pub struct Y;")];
        assert_eq!(found(&down), 0);
        let round = [("lib.rs", root), ("x.rs", "use crate::Y;"), ("y.rs", "use crate::X;")];
        assert_eq!(found(&round), 1);
        let upward = [("lib.rs", "mod x; pub use x::X; pub struct R;"), ("x.rs", "use crate::R;")];
        assert_eq!(found(&upward), 1);
    }

    #[test]
    fn paths_in_code_count_and_tests_do_not() {
        let code = [
            ("lib.rs", ""),
            ("x.rs", "fn f() { crate::y::g() }"),
            ("y.rs", "fn g() { super::x::f() }"),
        ];
        assert_eq!(found(&code), 1);
        let tests = [
            ("lib.rs", ""),
            ("x.rs", "use crate::y::Y;"),
            ("y.rs", "#[cfg(test)] mod tests { use crate::x::X; }"),
        ];
        assert_eq!(found(&tests), 0);
    }
}
