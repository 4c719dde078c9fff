//! Names of network namespaces.

/// What is wrong with a name that cannot be that of a file under `/run/netns`.
pub(crate) fn odd_name(name: &str) -> Option<String> {
    let is_file = !name.is_empty() && name.len() <= 255 && !name.contains('/');
    let is_good = is_file && name != "." && name != "..";
    (!is_good).then(|| format!("`{name}` cannot be the name of a network namespace"))
}

/// What helps.
pub(crate) const REMEDY: &str = "write a name that `ip netns list` shows";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_a_file() {
        assert_eq!(odd_name("blue"), None);
        for name in ["", ".", "..", "../net", "a/b", &"x".repeat(256)] {
            assert!(odd_name(name).is_some(), "{name}");
        }
    }
}
