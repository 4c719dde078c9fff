//! The structure of the source, checked: each check is a function over the tree, with a test.

mod captions;
mod fault;
pub mod floors;
mod licences;
mod links;
mod loops;
mod names;
mod purity;
mod rejects;
mod rooms;
mod served;
mod sizes;
mod tree;
mod unsafety;
mod vectors;
mod words;

#[cfg(test)]
mod tests;

use std::path::Path;

use fault::Fault;
use tree::Tree;

/// A check of the files alone.
type Check = fn(&Tree) -> Vec<Fault>;

const CHECKS: [(&str, Check); 11] = [
    ("captions", captions::faults),
    ("links", links::faults),
    ("loops", loops::faults),
    ("names", names::faults),
    ("purity", purity::faults),
    ("rejects", rejects::faults),
    ("rooms", rooms::faults),
    ("served", served::faults),
    ("unsafety", unsafety::faults),
    ("vectors", vectors::faults),
    ("words", words::faults),
];

/// Runs every check and prints the faults. Answers whether there are none.
pub fn run(root: &Path) -> bool {
    let tree = match Tree::read(root) {
        Ok(tree) => tree,
        Err(error) => {
            println!("{error}");
            return false;
        }
    };
    let mut faults: Vec<Fault> = CHECKS.iter().flat_map(|(_, check)| check(&tree)).collect();
    faults.extend(sizes::against_ratchet(&tree));
    faults.extend(floors::of_workspace(root));
    faults.extend(purity::of_workspace(root));
    faults.extend(licences::of_workspace(root));
    for fault in &faults {
        println!("{fault}");
    }
    println!("{} files, {} faults", tree.files.len(), faults.len());
    faults.is_empty()
}
