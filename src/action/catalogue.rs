//! All actions by name.
//!
//! **Invariant:** a name once shipped keeps its meaning.

use crate::action::Action;
use crate::action::spec::ActionSpec;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The actions that runbooks may use.
#[derive(Clone, Default)]
pub struct Catalogue {
    actions: BTreeMap<&'static str, Arc<dyn Action>>,
}

impl std::fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.actions.keys()).finish()
    }
}

impl Catalogue {
    /// A catalogue of the given actions.
    ///
    /// # Panics
    /// When two have one name.
    pub fn of(actions: impl IntoIterator<Item = Arc<dyn Action>>) -> Self {
        let mut catalogue = Self::default();
        for action in actions {
            let replaced = catalogue.actions.insert(action.spec().name, action);
            assert!(replaced.is_none(), "two actions with one name");
        }
        catalogue
    }

    /// The action called `name`.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Action>> {
        self.actions.get(name)
    }

    /// What the action called `name` declares.
    pub fn spec(&self, name: &str) -> Option<&ActionSpec> {
        self.actions.get(name).map(|action| action.spec())
    }

    /// All names in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.actions.keys().copied()
    }
}
