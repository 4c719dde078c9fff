//! Names of tables, scopes, realms, classes and groups, from the files of iproute2.

use std::collections::BTreeMap;

use crate::Sources;

/// Where the names of this machine are.
const OWN: &str = "/etc/iproute2";

/// Where packages put names, the newer place first; they count where `OWN` says nothing.
const PACKAGED: [&str; 2] = ["/usr/share/iproute2", "/usr/lib/iproute2"];

/// What is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Table,
    Scope,
    Realm,
    Class,
    Group,
}

impl Kind {
    fn file(self) -> &'static str {
        match self {
            Kind::Table => "rt_tables",
            Kind::Scope => "rt_scopes",
            Kind::Realm => "rt_realms",
            Kind::Class => "rt_dsfield",
            Kind::Group => "group",
        }
    }

    /// What it is, in a sentence.
    fn spoken(self) -> &'static str {
        match self {
            Kind::Table => "a table",
            Kind::Scope => "a scope",
            Kind::Realm => "a realm",
            Kind::Class => "a class of traffic",
            Kind::Group => "a group of links",
        }
    }

    /// The names that every system has, whatever its files say.
    fn usual(self) -> &'static [(&'static str, u32)] {
        match self {
            Kind::Table => &[("local", 255), ("main", 254), ("default", 253)],
            Kind::Scope => &[
                ("global", 0),
                ("universe", 0),
                ("site", 200),
                ("link", 253),
                ("host", 254),
                ("nowhere", 255),
            ],
            Kind::Group => &[("default", 0)],
            Kind::Realm | Kind::Class => &[],
        }
    }
}

/// Names and their numbers; a file is read when a name is asked for that no system has by itself.
pub(crate) struct Names<'s> {
    sources: &'s mut dyn Sources,
    own: String,
    packaged: Vec<String>,
    namespace: Option<String>,
    known: BTreeMap<Kind, BTreeMap<String, u32>>,
}

impl<'s> Names<'s> {
    /// Names of the usual places.
    pub(crate) fn new(sources: &'s mut dyn Sources) -> Names<'s> {
        Names::in_folders(sources, None, None)
    }

    /// Names of these places instead of the usual ones.
    pub(crate) fn in_folders(
        sources: &'s mut dyn Sources,
        own: Option<&str>,
        packaged: Option<&str>,
    ) -> Names<'s> {
        let packaged = match packaged {
            Some(folder) => vec![folder.to_owned()],
            None => PACKAGED.map(str::to_owned).to_vec(),
        };
        let own = own.unwrap_or(OWN).to_owned();
        Names { sources, own, packaged, namespace: None, known: BTreeMap::new() }
    }

    /// The same; routing domains are those of a network namespace.
    pub(crate) fn inside(self, namespace: Option<&str>) -> Names<'s> {
        Names { namespace: namespace.map(str::to_owned), ..self }
    }

    /// The number of a name.
    ///
    /// # Errors
    /// What is wrong with it, and what to do, if there is no such name.
    pub(crate) fn number(&mut self, kind: Kind, name: &str) -> Result<u32, String> {
        if let Some((_, number)) = kind.usual().iter().find(|(usual, _)| *usual == name) {
            return Ok(*number);
        }
        if !self.known.contains_key(&kind) {
            let read = self.read(kind);
            self.known.insert(kind, read);
        }
        let found = self.known.get(&kind).and_then(|known| known.get(name));
        found.copied().ok_or_else(|| {
            let (what, file) = (kind.spoken(), kind.file());
            format!("`{name}` is neither the number nor the name of {what} in {}/{file}", self.own)
        })
    }

    /// The table of a routing domain (VRF).
    ///
    /// # Errors
    /// Why it is not found, and what to do.
    pub(super) fn domain(&mut self, name: &str) -> Result<u32, String> {
        let found = self.sources.domain_table(name, self.namespace.as_deref());
        found.map_err(|why| format!("{why}, or write `table N` with its table"))
    }

    /// As iproute2 does it: one file stands for all, what lies in folders of that name adds to it.
    fn read(&mut self, kind: Kind) -> BTreeMap<String, u32> {
        let (mut names, file) = (BTreeMap::new(), kind.file());
        let folders: Vec<&String> = std::iter::once(&self.own).chain(&self.packaged).collect();
        let whole = folders.iter().map(|folder| self.sources.find(&format!("{folder}/{file}")));
        let whole = whole.into_iter().find(|found| !found.is_empty()).unwrap_or_default();
        // The own ones come last, so that they count.
        let added = folders.iter().rev();
        let added =
            added.flat_map(|folder| self.sources.find(&format!("{folder}/{file}.d/*.conf")));
        let paths: Vec<String> = whole.into_iter().chain(added).collect();
        for path in paths {
            let Ok(content) = self.sources.read(&path).content else { continue };
            names.extend(String::from_utf8_lossy(&content).lines().filter_map(named));
        }
        names
    }
}

/// `NUMBER NAME`, and perhaps a comment behind it.
fn named(line: &str) -> Option<(String, u32)> {
    let mut words = line.split_whitespace();
    let number = number(words.next()?)?;
    Some((words.next()?.to_owned(), number))
}

/// A number, decimal or hexadecimal.
pub(super) fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}
