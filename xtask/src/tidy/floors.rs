//! Which crate may import which: the manifests against `xtask/floors.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::fault::Fault;
use crate::metadata::Metadata;

/// The table of allowed imports.
#[derive(Deserialize)]
pub struct Floors {
    imports: BTreeMap<String, BTreeSet<String>>,
    #[serde(default)]
    tests: BTreeMap<String, BTreeSet<String>>,
}

/// One import that a manifest asks for.
pub struct Import {
    from: String,
    to: String,
    in_tests: bool,
    renamed: bool,
}

/// Prints the imports and checks them. Answers whether all are allowed.
pub fn run(root: &Path) -> bool {
    let imports = match Metadata::read(root) {
        Ok(metadata) => imports(&metadata),
        Err(error) => {
            println!("{error}");
            return false;
        }
    };
    for import in &imports {
        let note = if import.in_tests { " (tests)" } else { "" };
        println!("{} -> {}{note}", import.from, import.to);
    }
    let faults = of_workspace(root);
    for fault in &faults {
        println!("{fault}");
    }
    faults.is_empty()
}

/// Imports of the workspace that the table does not allow.
pub fn of_workspace(root: &Path) -> Vec<Fault> {
    let table = std::fs::read_to_string(root.join("xtask/floors.toml"))
        .map_err(|error| error.to_string())
        .and_then(|text| toml::from_str::<Floors>(&text).map_err(|error| error.to_string()));
    match (table, Metadata::read(root)) {
        (Ok(floors), Ok(metadata)) => {
            let members = metadata.members().map(|package| package.name.clone()).collect();
            faults(&floors, &members, &imports(&metadata))
        }
        (Err(error), _) | (_, Err(error)) => vec![Fault::new("xtask/floors.toml", error)],
    }
}

fn imports(metadata: &Metadata) -> Vec<Import> {
    let members: BTreeSet<&str> = metadata.members().map(|package| package.name.as_str()).collect();
    metadata
        .members()
        .flat_map(|package| {
            package.dependencies.iter().map(move |dependency| (package, dependency))
        })
        .filter(|(_, dependency)| members.contains(dependency.name.as_str()))
        .map(|(package, dependency)| Import {
            from: package.name.clone(),
            to: dependency.name.clone(),
            in_tests: dependency.kind.as_deref() == Some("dev"),
            renamed: dependency.rename.is_some(),
        })
        .collect()
}

fn faults(floors: &Floors, members: &BTreeSet<String>, imports: &[Import]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for member in members.iter().filter(|member| !floors.imports.contains_key(*member)) {
        faults.push(Fault::new(member, "the crate has no line in xtask/floors.toml"));
    }
    for stranger in floors.imports.keys().filter(|name| !members.contains(*name)) {
        faults.push(Fault::new("xtask/floors.toml", format!("`{stranger}` is not a crate")));
    }
    for import in imports {
        let listed = |table: &BTreeMap<String, BTreeSet<String>>| {
            table.get(&import.from).is_some_and(|allowed| allowed.contains(&import.to))
        };
        if !(listed(&floors.imports) || import.in_tests && listed(&floors.tests)) {
            faults.push(Fault::new(&import.from, format!("may not import `{}`", import.to)));
        }
        if import.renamed {
            faults.push(Fault::new(&import.from, format!("gives `{}` another name", import.to)));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(from: &str, to: &str, in_tests: bool) -> Import {
        Import { from: from.to_owned(), to: to.to_owned(), in_tests, renamed: false }
    }

    #[test]
    fn an_arrow_that_is_not_in_the_table_is_found() {
        let floors: Floors =
            toml::from_str("[imports]\na = []\nb = [\"a\"]\n[tests]\na = [\"b\"]\n")
                .expect("a table");
        let members = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
        let found = |imports: &[Import]| faults(&floors, &members, imports).len();
        assert_eq!(found(&[import("b", "a", false), import("a", "b", true)]), 0);
        assert_eq!(found(&[import("a", "b", false)]), 1);
        let mut renamed = import("b", "a", false);
        renamed.renamed = true;
        assert_eq!(found(&[renamed]), 1);
        assert_eq!(faults(&floors, &BTreeSet::from(["a".to_owned()]), &[]).len(), 1);
        assert_eq!(faults(&floors, &["a", "b", "c"].map(str::to_owned).into(), &[]).len(), 1);
    }
}
