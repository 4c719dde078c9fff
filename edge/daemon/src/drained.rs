//! What the operator drained: it outlives the control process, but no stop.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use mainstay_engine::Command;
use mainstay_engine::vrrp::Name;
use serde::{Deserialize, Serialize};

/// Which routers are drained.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Drained {
    /// All of them, those that a reload adds included.
    pub(crate) node: bool,
    /// These, by name.
    pub(crate) routers: BTreeSet<String>,
}

impl Drained {
    /// What an earlier process left; nothing if that cannot be read.
    pub(crate) fn load(path: &Path) -> Drained {
        let text = fs::read_to_string(path).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// What to leave for the next process; nothing if nothing is drained.
    pub(crate) fn written(&self) -> Option<Vec<u8>> {
        let is_any = *self != Drained::default();
        is_any.then(|| serde_json::to_vec(self).expect("names and a flag make JSON"))
    }

    /// These routers are drained from now on; none named: all.
    pub(crate) fn drain(&mut self, routers: Option<&BTreeSet<Name>>) {
        match routers {
            None => self.node = true,
            Some(routers) => self.routers.extend(routers.iter().map(Name::to_string)),
        }
    }

    /// These routers are not drained any more; none named: none is. `all` are the routers that there are.
    pub(crate) fn undrain(
        &mut self,
        routers: Option<&BTreeSet<Name>>,
        all: impl Iterator<Item = Name>,
    ) {
        let Some(routers) = routers else { return *self = Drained::default() };
        if std::mem::take(&mut self.node) {
            self.routers.extend(all.map(|name| name.to_string()));
        }
        self.routers.retain(|drained| !routers.contains(&Name::new(drained)));
    }

    /// What an engine that knows nothing of it is to be told.
    pub(crate) fn commands(&self) -> Vec<Command> {
        if self.node {
            return vec![Command::Drain { router: None }];
        }
        let routers = self.routers.iter().map(|name| Some(Name::new(name)));
        routers.map(|router| Command::Drain { router }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::name;

    #[test]
    fn what_was_drained_is_known_to_the_next_process() {
        let path = std::env::temp_dir().join(format!("mainstay-drained-{}", std::process::id()));
        let mut drained = Drained::default();
        drained.drain(Some(&[name("A"), name("B")].into()));
        fs::write(&path, drained.written().expect("two are")).expect("the directory is writable");
        assert_eq!(Drained::load(&path), drained);
        assert_eq!(Drained::default().written(), None);
        fs::write(&path, "no JSON").expect("the directory is writable");
        assert_eq!(Drained::load(&path), Drained::default());
        fs::remove_file(&path).expect("it is ours");
    }

    #[test]
    fn one_router_of_a_drained_node_can_be_undrained() {
        let mut drained = Drained::default();
        drained.drain(None);
        assert_eq!(drained.commands(), [Command::Drain { router: None }]);
        let all = [name("A"), name("B")];
        drained.undrain(Some(&[name("A")].into()), all.clone().into_iter());
        assert_eq!(drained.commands(), [Command::Drain { router: Some(name("B")) }]);
        drained.undrain(None, all.into_iter());
        assert!(drained.commands().is_empty());
    }
}
