//! The files of the project as text and, where they are Rust, as syntax.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use syn::Item;

/// Every file that belongs to the project.
pub struct Tree {
    /// Text by path, relative to the workspace's folder. Files that are not text are left out.
    pub files: BTreeMap<String, String>,
    /// The Rust files among them.
    pub sources: Vec<Source>,
}

/// One Rust file.
pub struct Source {
    /// Its path, relative to the workspace's folder.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Its syntax.
    pub syntax: syn::File,
}

impl Tree {
    /// Reads what git knows or would add.
    pub fn read(root: &Path) -> Result<Tree, String> {
        let listing = Command::new("git")
            .current_dir(root)
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .output()
            .map_err(|error| format!("git ls-files: {error}"))?;
        if !listing.status.success() {
            return Err(format!("git ls-files: {}", String::from_utf8_lossy(&listing.stderr)));
        }
        let names = String::from_utf8_lossy(&listing.stdout).into_owned();
        let texts = names.split('\0').filter(|name| !name.is_empty()).filter_map(|name| {
            let text = std::fs::read_to_string(root.join(name)).ok()?;
            Some((name.to_owned(), text))
        });
        Tree::of(texts)
    }

    /// A tree of the given paths and texts.
    pub fn of(texts: impl IntoIterator<Item = (String, String)>) -> Result<Tree, String> {
        let files: BTreeMap<String, String> = texts.into_iter().collect();
        let sources = files
            .iter()
            .filter(|(path, _)| path.ends_with(".rs"))
            .map(|(path, text)| {
                let syntax = syn::parse_file(text).map_err(|error| format!("{path}: {error}"))?;
                Ok(Source { path: path.clone(), text: text.clone(), syntax })
            })
            .collect::<Result<Vec<Source>, String>>()?;
        Ok(Tree { files, sources })
    }

    /// A tree with one made-up file.
    #[cfg(test)]
    pub fn with(path: &str, text: &str) -> Tree {
        Tree::of([(path.to_owned(), text.to_owned())]).expect("a made-up file parses")
    }
}

impl Source {
    /// Whether the whole file is compiled for tests and benches only.
    pub fn is_test(&self) -> bool {
        let mut folders = self.path.split('/');
        folders.any(|part| matches!(part, "tests" | "benches" | "examples" | "tests.rs"))
    }
}

/// Whether an item is compiled for tests only.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other kinds of items bear no such attribute here"
)]
pub fn is_for_tests(item: &Item) -> bool {
    let attributes = match item {
        Item::Mod(module) => &module.attrs,
        Item::Fn(function) => &function.attrs,
        Item::Impl(block) => &block.attrs,
        Item::Use(import) => &import.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Const(item) => &item.attrs,
        _ => return false,
    };
    has_test_attribute(attributes)
}

/// Whether `#[test]` or `#[cfg(test)]` is among the attributes.
pub fn has_test_attribute(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let cfg_test = attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"));
        cfg_test || attribute.path().is_ident("test")
    })
}

/// A path's segments as text: `std::fs::read` gives `["std", "fs", "read"]`.
pub fn segments(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

/// Every path that a `use` brings in, with the name that it gets here (`*` for a glob).
pub fn imports(tree: &syn::UseTree) -> Vec<(Vec<String>, String)> {
    let mut found = Vec::new();
    gather(tree, &mut Vec::new(), &mut found);
    found
}

fn gather(tree: &syn::UseTree, prefix: &mut Vec<String>, found: &mut Vec<(Vec<String>, String)>) {
    let with = |prefix: &[String], last: String| [prefix, &[last]].concat();
    match tree {
        syn::UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            gather(&path.tree, prefix, found);
            prefix.pop();
        }
        syn::UseTree::Name(name) if name.ident == "self" => {
            let own = prefix.last().cloned().unwrap_or_default();
            found.push((prefix.clone(), own));
        }
        syn::UseTree::Name(name) => {
            found.push((with(prefix, name.ident.to_string()), name.ident.to_string()));
        }
        syn::UseTree::Rename(rename) => {
            found.push((with(prefix, rename.ident.to_string()), rename.rename.to_string()));
        }
        syn::UseTree::Glob(_) => found.push((with(prefix, "*".to_owned()), "*".to_owned())),
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                gather(tree, prefix, found);
            }
        }
    }
}
