//! Every dependency bears a licence that asks for no more than its notice.

use std::path::Path;

use super::fault::Fault;
use crate::metadata::Metadata;

const ALLOWED: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Packages of the dependency tree whose licence is not on the list.
pub fn of_workspace(root: &Path) -> Vec<Fault> {
    match Metadata::read(root) {
        Ok(metadata) => metadata
            .packages
            .iter()
            .filter_map(|package| fault(&package.name, package.license.as_deref()))
            .collect(),
        Err(error) => vec![Fault::new("Cargo.toml", error)],
    }
}

fn fault(package: &str, licence: Option<&str>) -> Option<Fault> {
    let Some(licence) = licence else {
        return Some(Fault::new(package, "the package states no licence"));
    };
    let expression = match spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX) {
        Ok(expression) => expression,
        Err(error) => {
            return Some(Fault::new(package, format!("licence `{licence}`: {}", error.reason)));
        }
    };
    let allowed = expression.evaluate(|requirement| {
        requirement.license.id().is_some_and(|id| ALLOWED.contains(&id.name))
    });
    (!allowed).then(|| Fault::new(package, format!("licence `{licence}` is not on the list")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_licence_that_binds_us_is_found() {
        for good in ["MIT", "MIT/Apache-2.0", "(MIT OR GPL-3.0-only) AND Unicode-3.0"] {
            assert_eq!(fault("a", Some(good)), None, "{good}");
        }
        for bad in [
            Some("GPL-3.0-only"),
            Some("MPL-2.0"),
            Some("MIT AND LGPL-2.1-only"),
            Some("Mine"),
            None,
        ] {
            assert!(fault("a", bad).is_some(), "{bad:?}");
        }
    }
}
