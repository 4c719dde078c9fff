//! Names say what a thing is: words that say nothing are refused.

use syn::visit::{self, Visit};
use syn::{Ident, ImplItem, TraitItem};

use super::fault::Fault;
use super::tree::Tree;

const EMPTY: [&str; 18] = [
    "common", "context", "data", "handler", "helper", "helpers", "impl", "info", "item", "manager",
    "misc", "object", "service", "shared", "temp", "tmp", "util", "utils",
];

const PREFIXES: [&str; 4] = ["my", "new", "old", "real"];

/// Modules, types and functions whose names hold a word that says nothing; tests speak freely, and a
/// constant may bear the name that the kernel or an RFC gives to its number.
pub fn faults(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for source in &tree.sources {
        for part in source.path.trim_end_matches(".rs").split('/') {
            faults.extend(complaint(part).map(|what| Fault::new(&source.path, what)));
        }
        if source.is_test() {
            continue;
        }
        let mut finder = Finder { place: &source.path, faults: Vec::new() };
        finder.visit_file(&source.syntax);
        faults.extend(finder.faults);
    }
    faults
}

fn complaint(name: &str) -> Option<String> {
    let words = words(name);
    let empty = words.iter().find(|word| EMPTY.contains(&word.as_str()));
    let prefix = words.first().filter(|word| words.len() > 1 && PREFIXES.contains(&word.as_str()));
    empty.or(prefix).map(|word| format!("`{name}`: the word `{word}` says nothing"))
}

/// The words of `snake_case` and `CamelCase`, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_small = false;
    for c in name.chars() {
        if c == '_' || c == '-' || (c.is_uppercase() && after_small) {
            words.push(String::new());
        }
        after_small = c.is_lowercase() || c.is_ascii_digit();
        if c.is_alphanumeric() {
            words.last_mut().expect("begins with one word").extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

struct Finder<'a> {
    place: &'a str,
    faults: Vec<Fault>,
}

impl Finder<'_> {
    /// A function called `process_…` does not say what it does; a type may be a process of the machine.
    fn look_at_function(&mut self, ident: &Ident) {
        if ident.to_string().starts_with("process_") {
            let place = format!("{}:{}", self.place, ident.span().start().line);
            self.faults.push(Fault::new(place, format!("`{ident}` does not say what it does")));
        }
        self.look_at(ident);
    }

    fn look_at(&mut self, ident: &Ident) {
        let line = ident.span().start().line;
        let fault = complaint(&ident.to_string());
        self.faults.extend(fault.map(|what| Fault::new(format!("{}:{line}", self.place), what)));
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        if !super::tree::has_test_attribute(&function.attrs) {
            self.look_at_function(&function.sig.ident);
        }
        visit::visit_item_fn(self, function);
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        self.look_at(&module.ident);
        visit::visit_item_mod(self, module);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.look_at(&item.ident);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.look_at(&item.ident);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.look_at(&item.ident);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.look_at(&item.ident);
        for method in &item.items {
            if let TraitItem::Fn(method) = method {
                self.look_at_function(&method.sig.ident);
            }
        }
        visit::visit_item_trait(self, item);
    }

    /// Methods of a foreign trait have the names that the trait gives them.
    fn visit_item_impl(&mut self, block: &'ast syn::ItemImpl) {
        for method in &block.items {
            if let (ImplItem::Fn(method), None) = (method, &block.trait_) {
                self.look_at_function(&method.sig.ident);
            }
        }
        visit::visit_item_impl(self, block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_says_nothing_is_found() {
        let bad = [
            "mod util {}",
            "struct LinkManager;",
            "fn process_packet() {}",
            "impl A { fn new_link() {} }",
            "trait A { fn data(&self); }",
        ];
        for text in bad {
            assert_eq!(faults(&Tree::with("a.rs", text)).len(), 1, "{text}");
        }
        assert_eq!(faults(&Tree::with("pure/a/src/helpers.rs", "")).len(), 1);
        let good = "struct Renewed; impl A { fn new() {} } impl Iterator for A { fn data() {} type Item = u8; }";
        assert!(faults(&Tree::with("pure/a/src/process.rs", good)).is_empty());
    }

    #[test]
    fn words_are_told_apart() {
        assert_eq!(words("MyLinkHTTP2_old"), ["my", "link", "http2", "old"]);
    }
}
