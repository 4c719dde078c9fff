//! Words and macros that may not stay: notes to oneself, skipped tests, debug prints, boasts.

use super::fault::Fault;
use super::tree::Tree;

/// A text that may not stand in a file, and where it may after all.
struct Word {
    text: &'static str,
    why: &'static str,
    only_rust: bool,
    allowed_in: &'static [&'static str],
}

const PRINTING_ROOMS: [&str; 4] = ["edge/cli/", "edge/mainstay/", "proof/", "xtask/"];

/// Written in two halves, so that this file does not find itself.
const WORDS: [Word; 15] = [
    rust(concat!("TO", "DO"), "an open point belongs into an issue", &[]),
    rust(concat!("FIX", "ME"), "an open point belongs into an issue", &[]),
    rust(concat!("XX", "X"), "an open point belongs into an issue", &[]),
    rust(concat!("#[ig", "nore"), "a test runs or is not there", &[]),
    rust(concat!("db", "g!("), "left from debugging", &[]),
    rust(concat!("tod", "o!("), "a stub", &[]),
    rust(concat!("unimpl", "emented!("), "a stub", &[]),
    rust(concat!("print", "ln!("), "only the command line prints", &PRINTING_ROOMS),
    rust(concat!("thread::", "sleep("), "wait for a condition", &["edge/linux/", "proof/lab/"]),
    anywhere(concat!("/ho", "me/"), "a path of one machine"),
    anywhere(concat!("/wo", "rk/"), "a path of one machine"),
    anywhere(concat!("/ro", "ot/."), "a path of one machine"),
    anywhere(concat!("blazing", "ly"), "a boast"),
    anywhere(concat!("world", "-class"), "a boast"),
    anywhere(concat!("cutting", "-edge"), "a boast"),
];

const fn rust(text: &'static str, why: &'static str, allowed_in: &'static [&'static str]) -> Word {
    Word { text, why, only_rust: true, allowed_in }
}

const fn anywhere(text: &'static str, why: &'static str) -> Word {
    Word { text, why, only_rust: false, allowed_in: &[] }
}

/// Places where such a word stands.
pub fn faults(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, text) in &tree.files {
        let rust = path.ends_with(".rs");
        let applies = |word: &&Word| {
            let room = word.allowed_in.iter().any(|room| path.starts_with(room));
            let test = path.contains("/tests/") && !word.allowed_in.is_empty();
            (rust || !word.only_rust) && !room && !test
        };
        for word in WORDS.iter().filter(applies) {
            let rows = text.lines().enumerate().filter(|(_, row)| row.contains(word.text));
            faults.extend(rows.map(|(index, _)| {
                let place = format!("{path}:{}", index + 1);
                Fault::new(place, format!("`{}`: {}", word.text, word.why))
            }));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_found_where_it_may_not_stand() {
        for word in &WORDS {
            let tree = Tree::of([("edge/daemon/src/a.md".to_owned(), word.text.to_owned())]);
            let in_text = faults(&tree.expect("no Rust in it")).len();
            assert_eq!(in_text, usize::from(!word.only_rust), "{}", word.text);
            let commented = format!("// {}\n", word.text);
            assert_eq!(
                faults(&Tree::with("edge/daemon/src/a.rs", &commented)).len(),
                1,
                "{}",
                word.text
            );
        }
        let printing = concat!("fn f() { print", "ln!() }");
        assert!(faults(&Tree::with("edge/cli/src/a.rs", printing)).is_empty());
    }
}
