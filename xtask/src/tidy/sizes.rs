//! Functions, files, structs and parameter lists stay small, but for `xtask/ratchet.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{FnArg, Signature};

use super::fault::Fault;
use super::tree::{Source, Tree, is_for_tests};

const FUNCTION_LINES: usize = 70;
const FILE_LINES: usize = 600;
const PARAMETERS: usize = 5;
const FIELDS: usize = 20;
const RATCHET: &str = "xtask/ratchet.toml";

/// The exceptions, with the number of today.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Ratchet {
    functions: BTreeMap<String, usize>,
    files: BTreeMap<String, usize>,
    structs: BTreeMap<String, usize>,
}

/// Everything that is too large and not excused, and every excuse that is no longer needed.
pub fn against_ratchet(tree: &Tree) -> Vec<Fault> {
    let text = tree.files.get(RATCHET).map_or("", String::as_str);
    match toml::from_str(text) {
        Ok(ratchet) => faults(tree, &ratchet),
        Err(error) => vec![Fault::new(RATCHET, error.to_string())],
    }
}

fn faults(tree: &Tree, ratchet: &Ratchet) -> Vec<Fault> {
    let mut measured = Measured::default();
    for source in &tree.sources {
        measured.take_in(source);
    }
    let mut faults = measured.faults;
    faults.extend(compare(
        "function's lines",
        FUNCTION_LINES,
        &measured.functions,
        &ratchet.functions,
    ));
    faults.extend(compare("file's lines", FILE_LINES, &measured.files, &ratchet.files));
    faults.extend(compare("struct's fields", FIELDS, &measured.structs, &ratchet.structs));
    faults
}

/// What is above the limit must be excused with exactly its number.
fn compare(
    kind: &str,
    limit: usize,
    measured: &BTreeMap<String, usize>,
    excused: &BTreeMap<String, usize>,
) -> Vec<Fault> {
    let large = measured.iter().filter(|(name, lines)| {
        **lines > limit && excused.get(*name).is_none_or(|excused| *lines > excused)
    });
    let too_large = large.map(|(name, lines)| {
        Fault::new(name, format!("the {kind} are {lines}, more than {limit}"))
    });
    let stale = excused.iter().filter_map(|(name, excused)| {
        let lines = measured.get(name).copied().unwrap_or_default();
        let what =
            format!("`{name}`: {lines} is less than the excused {excused}, or needs no excuse");
        (lines < *excused || lines <= limit).then(|| Fault::new(RATCHET, what))
    });
    too_large.chain(stale).collect()
}

#[derive(Default)]
struct Measured {
    functions: BTreeMap<String, usize>,
    files: BTreeMap<String, usize>,
    structs: BTreeMap<String, usize>,
    faults: Vec<Fault>,
    path: String,
}

impl Measured {
    fn take_in(&mut self, source: &Source) {
        self.path.clone_from(&source.path);
        self.visit_file(&source.syntax);
        if !source.is_test() {
            let tests = source.syntax.items.iter().filter(|item| is_for_tests(item));
            let test_lines: usize = tests.map(lines).sum();
            let all = source.text.lines().count();
            self.files.insert(source.path.clone(), all.saturating_sub(test_lines));
        }
    }

    fn function(&mut self, signature: &Signature, block: &syn::Block) {
        let lines = block.span().end().line + 1 - signature.span().start().line;
        let name = format!("{}::{}", self.path, signature.ident);
        let longest = self.functions.entry(name.clone()).or_default();
        *longest = lines.max(*longest);
        let typed =
            signature.inputs.iter().filter(|input| matches!(input, FnArg::Typed(_))).count();
        if typed > PARAMETERS {
            self.faults
                .push(Fault::new(name, format!("{typed} parameters, more than {PARAMETERS}")));
        }
    }
}

fn lines(node: &impl Spanned) -> usize {
    let span = node.span();
    span.end().line + 1 - span.start().line
}

impl<'ast> Visit<'ast> for Measured {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.function(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.function(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.structs.insert(format!("{}::{}", self.path, item.ident), item.fields.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(lines: usize) -> Tree {
        Tree::with("a.rs", &format!("fn f() {{\n{}}}\n", "    g();\n".repeat(lines - 2)))
    }

    #[test]
    fn what_is_too_large_is_found() {
        let none = Ratchet::default();
        assert_eq!(faults(&function(70), &none), []);
        assert_eq!(faults(&function(71), &none).len(), 1);
        let file = |lines| Tree::with("a.rs", &"const A: u8 = 0;\n".repeat(lines));
        assert_eq!(faults(&file(600), &none), []);
        assert_eq!(faults(&file(601), &none).len(), 1);
        let many = Tree::with("a.rs", "fn f(a: u8, b: u8, c: u8, d: u8, e: u8, g: u8) {}");
        assert_eq!(faults(&many, &none).len(), 1);
        let wide = Tree::with(
            "a.rs",
            &format!(
                "struct S {{ {} }}",
                (0..21).map(|n| format!("f{n}: u8,")).collect::<String>()
            ),
        );
        assert_eq!(faults(&wide, &none).len(), 1);
    }

    #[test]
    fn an_excuse_may_only_fall() {
        let excused = |lines| Ratchet {
            functions: BTreeMap::from([("a.rs::f".to_owned(), lines)]),
            ..Ratchet::default()
        };
        assert_eq!(faults(&function(80), &excused(80)), []);
        assert_eq!(faults(&function(81), &excused(80)).len(), 1);
        assert_eq!(faults(&function(79), &excused(80)).len(), 1);
        assert_eq!(faults(&function(10), &excused(80)).len(), 1);
    }

    #[test]
    fn tests_do_not_count_as_part_of_a_file() {
        let text = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "const A: u8 = 0;\n".repeat(700));
        assert_eq!(faults(&Tree::with("a.rs", &text), &Ratchet::default()), []);
    }
}
