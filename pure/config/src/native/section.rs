//! A table of the native language, and a key in it.

/// A table of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// How it is written: `[[virtual_router]]`.
    pub heading: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Its keys, in the order in which they are written.
    pub keys: &'static [Key],
}

/// A key of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key itself.
    pub name: &'static str,
    /// What its value is, with bounds.
    pub kind: &'static str,
    /// What holds if it is absent; `required` if it must not be.
    pub default: &'static str,
    /// What it means.
    pub about: &'static str,
    /// A value, in TOML.
    pub example: &'static str,
}

/// A key.
pub(super) const fn key(
    name: &'static str,
    kind: &'static str,
    default: &'static str,
    example: &'static str,
    about: &'static str,
) -> Key {
    Key { name, kind, default, about, example }
}
