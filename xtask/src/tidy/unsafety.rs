//! Unsafe code stands in `edge/linux` alone, each time with the obligations that it meets.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::fault::Fault;
use super::tree::{Source, Tree};

const ROOM: &str = "edge/linux/";

/// Unsafe code outside its room, or without a word on why it is sound.
pub fn faults(tree: &Tree) -> Vec<Fault> {
    tree.sources.iter().flat_map(of_file).collect()
}

fn of_file(source: &Source) -> Vec<Fault> {
    let mut finder = Finder { lines: Vec::new() };
    finder.visit_file(&source.syntax);
    let text: Vec<&str> = source.text.lines().collect();
    let inside = source.path.starts_with(ROOM);
    finder
        .lines
        .into_iter()
        .filter(|line| !(inside && is_explained(&text, *line)))
        .map(|line| {
            let what = if inside {
                "unsafe without a `// SAFETY:` comment above it"
            } else {
                "unsafe outside edge/linux"
            };
            Fault::new(format!("{}:{line}", source.path), what)
        })
        .collect()
}

/// Whether the comment directly above the statement that holds this line (counted from 1) is a safety comment.
fn is_explained(text: &[&str], line: usize) -> bool {
    let above = text.get(..line.saturating_sub(1)).unwrap_or_default();
    let mut comment_seen = false;
    for row in above.iter().rev().map(|row| row.trim()) {
        if row.starts_with("//") {
            comment_seen = true;
            if row.contains("SAFETY:") || row.contains("# Safety") {
                return true;
            }
        } else if comment_seen || row.ends_with([';', '}']) || row.is_empty() {
            return false;
        }
    }
    false
}

struct Finder {
    lines: Vec<usize>,
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        self.lines.push(block.unsafe_token.span().start().line);
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_item_impl(&mut self, block: &'ast syn::ItemImpl) {
        self.lines.extend(block.unsafety.map(|token| token.span().start().line));
        visit::visit_item_impl(self, block);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        if let syn::Safety::Unsafe(token) = &signature.safety {
            self.lines.push(token.span().start().line);
        }
        visit::visit_signature(self, signature);
    }

    fn visit_item_foreign_mod(&mut self, block: &'ast syn::ItemForeignMod) {
        self.lines.push(block.span().start().line);
        visit::visit_item_foreign_mod(self, block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_code_elsewhere_or_unexplained_is_found() {
        let bare = "//! A.\nfn f() {\n    unsafe { g() }\n}\n";
        let explained =
            "//! A.\nfn f() {\n    // SAFETY: g asks for nothing.\n    unsafe { g() }\n}\n";
        assert_eq!(faults(&Tree::with("pure/vrrp/src/a.rs", explained)).len(), 1);
        assert_eq!(faults(&Tree::with("edge/linux/src/a.rs", bare)).len(), 1);
        assert_eq!(faults(&Tree::with("edge/linux/src/a.rs", explained)).len(), 0);
    }
}
