//! Every reason to drop a packet is shown by a talk or a test.

use syn::Item;

use super::fault::Fault;
use super::tree::{Source, Tree};

const DEFINITIONS: [&str; 2] = ["pure/bfd/src/reject.rs", "pure/vrrp/src/reject.rs"];

/// Variants of each protocol's `Reject` that no talk and no test names.
pub fn faults(tree: &Tree) -> Vec<Fault> {
    let is_definition = |source: &&Source| DEFINITIONS.contains(&source.path.as_str());
    let definitions = tree.sources.iter().filter(is_definition);
    definitions.flat_map(|definition| of_protocol(tree, definition)).collect()
}

fn of_protocol(tree: &Tree, definition: &Source) -> Vec<Fault> {
    let variants = definition.syntax.items.iter().filter_map(|item| {
        let Item::Enum(item) = item else { return None };
        (item.ident == "Reject").then_some(&item.variants)
    });
    variants
        .flatten()
        .filter(|variant| {
            !is_shown(tree, &variant.ident.to_string(), &counter(definition, variant))
        })
        .map(|variant| {
            Fault::new(&definition.path, format!("no talk or test shows `{}`", variant.ident))
        })
        .collect()
}

/// The counter's name: the text on the line `Reject::Variant => "name"`.
fn counter(definition: &Source, variant: &syn::Variant) -> Option<String> {
    let start = format!("Reject::{} => \"", variant.ident);
    let (_, after) = definition.text.split_once(&start)?;
    after.split_once('"').map(|(name, _)| name.to_owned())
}

/// Whether a test names the variant, or a talk the variant's counter.
fn is_shown(tree: &Tree, variant: &str, counter: &Option<String>) -> bool {
    let in_test = format!("Reject::{variant}");
    tree.files.iter().filter(|(path, _)| !DEFINITIONS.contains(&path.as_str())).any(
        |(path, text)| {
            let talk = path.starts_with("proof/talks/") && path.ends_with(".talk");
            let test = path.contains("/tests") || path.starts_with("proof/");
            let told = counter.as_ref().is_some_and(|name| text.contains(name.as_str()));
            (test && holds_word(text, &in_test)) || (talk && told)
        },
    )
}

/// Whether the text holds the word, not as the beginning of a longer one.
fn holds_word(text: &str, word: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    text.match_indices(word).any(|(at, _)| ends(&text[at + word.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_nobody_shows_is_found() {
        let definition = "enum Reject { A, B, AB }\nfn f() { match x { Reject::A => \"short\" } }";
        let tree = |extra: &[(&str, &str)]| {
            let files = [&[(DEFINITIONS[1], definition)], extra].concat();
            Tree::of(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())))
                .expect("made-up files parse")
        };
        assert_eq!(faults(&tree(&[])).len(), 3);
        let test = ("pure/vrrp/src/router/tests.rs", "fn t() { f(Reject::AB, Reject::B) }");
        assert_eq!(faults(&tree(&[test])).len(), 1);
        let talk = ("proof/talks/vrrp/a.talk", "< drop short");
        assert!(faults(&tree(&[test, talk])).is_empty());
    }
}
