//! Every vector says where its bytes come from, every talk what it shows.

use super::fault::Fault;
use super::tree::Tree;

/// Vectors without a source, vectors and talks without a caption.
pub fn faults(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, text) in &tree.files {
        let vector = path.starts_with("proof/vectors/") && path.ends_with(".vector");
        let talk = path.starts_with("proof/talks/") && path.ends_with(".talk");
        if (vector || talk) && !text.starts_with("# ") {
            faults.push(Fault::new(path, "the first line is not a caption (`# …`)"));
        }
        if vector && !text.lines().any(|row| row.starts_with("source ")) {
            faults.push(Fault::new(path, "the vector names no source"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        let tree = Tree::of([(path.to_owned(), text.to_owned())]);
        faults(&tree.expect("no Rust in it")).len()
    }

    #[test]
    fn bytes_without_a_source_are_found() {
        assert_eq!(found("proof/vectors/vrrp/a.vector", "# A farewell.\nsource RFC 9568\n"), 0);
        assert_eq!(found("proof/vectors/vrrp/a.vector", "# A farewell.\nvrid 1\n"), 1);
        assert_eq!(found("proof/talks/vrrp/a.talk", "given vrid 51\n"), 1);
        assert_eq!(found("proof/talks/vrrp/a.talk", "# A Backup takes over.\n"), 0);
    }
}
