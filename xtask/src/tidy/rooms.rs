//! ARCHITECTURE.md names every crate exactly once in its table of rooms, and stays short.

use super::fault::Fault;
use super::tree::Tree;

const PAGE: &str = "ARCHITECTURE.md";
const LONGEST: usize = 200;

/// Crates that the table of rooms leaves out or names twice, rows about no crate, too long a page.
pub fn faults(tree: &Tree) -> Vec<Fault> {
    let Some(page) = tree.files.get(PAGE) else {
        return vec![Fault::new(PAGE, "the page is not there")];
    };
    let rooms: Vec<&str> = page.lines().filter_map(room).collect();
    let crates: Vec<&str> =
        tree.files.keys().filter_map(|path| path.strip_suffix("/Cargo.toml")).collect();
    let mut faults = Vec::new();
    for folder in &crates {
        let count = rooms.iter().filter(|room| *room == folder).count();
        if count != 1 {
            faults.push(Fault::new(PAGE, format!("`{folder}` stands in the table {count} times")));
        }
    }
    for room in rooms.iter().filter(|room| !crates.contains(room)) {
        faults.push(Fault::new(PAGE, format!("`{room}` is not a crate")));
    }
    if page.lines().count() > LONGEST {
        faults.push(Fault::new(PAGE, format!("longer than {LONGEST} lines")));
    }
    faults
}

/// The folder that a row of the table begins with: "| `pure/base` | …".
fn room(line: &str) -> Option<&str> {
    line.strip_prefix("| `")?.split_once("` |").map(|(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(page: &str) -> usize {
        let files = [("pure/base/Cargo.toml", ""), (PAGE, page)];
        let tree = Tree::of(files.map(|(path, text)| (path.to_owned(), text.to_owned())));
        faults(&tree.expect("no Rust in it")).len()
    }

    #[test]
    fn a_room_left_out_or_named_twice_is_found() {
        assert_eq!(found("| `pure/base` | instants |\n"), 0);
        assert_eq!(found("nothing\n"), 1);
        assert_eq!(found("| `pure/base` | a |\n| `pure/base` | b |\n"), 1);
        assert_eq!(found("| `pure/base` | a |\n| `pure/none` | b |\n"), 1);
        assert_eq!(found(&format!("| `pure/base` | a |\n{}", "\n".repeat(200))), 1);
    }
}
