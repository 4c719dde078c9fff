//! The first line of every Rust file says what the file is for.

use super::fault::Fault;
use super::tree::Tree;

const LONGEST: usize = 90;

/// Files without a caption, or with one that is too long.
pub fn faults(tree: &Tree) -> Vec<Fault> {
    tree.sources
        .iter()
        .filter_map(|source| {
            let first = source.text.lines().next().unwrap_or_default();
            let what = complaint(first)?;
            Some(Fault::new(format!("{}:1", source.path), what))
        })
        .collect()
}

fn complaint(line: &str) -> Option<String> {
    let Some(caption) = line.strip_prefix("//! ") else {
        return Some("the first line is not a caption (`//! …`)".to_owned());
    };
    if caption.chars().count() > LONGEST {
        return Some(format!("the caption is longer than {LONGEST} characters"));
    }
    (!caption.ends_with('.')).then(|| "the caption does not end as a sentence".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_good_caption_is_found() {
        assert!(faults(&Tree::with("a.rs", "//! Says what it is for.\n")).is_empty());
        for bad in ["", "fn main() {}\n", "//! No full stop\n"] {
            assert_eq!(faults(&Tree::with("a.rs", bad)).len(), 1, "{bad:?}");
        }
        let long = format!("//! {}.\n", "A".repeat(90));
        assert_eq!(faults(&Tree::with("a.rs", &long)).len(), 1);
    }
}
