//! Predicted effects laid over what AWS answers, so that later steps of a dry run see earlier ones.
//!
//! **Invariant:** an overlay is only ever read; it never reaches AWS, and deletions look past it.

use crate::cloud::model::DbInstance;
use std::collections::BTreeMap;

/// What a database instance will be like.
#[derive(Debug, Clone, PartialEq)]
pub enum PredictedInstance {
    /// It will exist like this.
    Present(Box<DbInstance>),
    /// It will be gone.
    Absent,
}

/// What a step will have done.
#[derive(Debug, Clone, PartialEq)]
pub enum PredictedEffect {
    /// A database instance will exist: the instance and its region.
    Created(Box<DbInstance>, String),
    /// A database instance will be gone.
    Deleted {
        /// Its region.
        region: String,
        /// Its identifier.
        id: String,
    },
}

/// Predicted instances by region and identifier.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overlay(BTreeMap<(String, String), PredictedInstance>);

impl Overlay {
    /// Nothing predicted.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lays one more effect on top; the last one about an instance counts.
    pub fn apply(&mut self, effect: &PredictedEffect) {
        let (region, id, predicted) = match effect {
            PredictedEffect::Created(instance, region) => {
                (region, &instance.id, PredictedInstance::Present(instance.clone()))
            }
            PredictedEffect::Deleted { region, id } => (region, id, PredictedInstance::Absent),
        };
        self.0.insert(key(region, id), predicted);
    }

    /// What is predicted of an instance; `None` when nothing is.
    pub fn get(&self, region: &str, id: &str) -> Option<&PredictedInstance> {
        self.0.get(&key(region, id))
    }

    /// Whether nothing is predicted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Everything predicted in a region, by identifier.
    pub fn in_region<'a>(
        &'a self,
        region: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a PredictedInstance)> + 'a {
        self.0
            .iter()
            .filter(move |((found, _), _)| found == region)
            .map(|((_, id), predicted)| (id.as_str(), predicted))
    }
}

/// RDS identifiers are the same in either case.
fn key(region: &str, id: &str) -> (String, String) {
    (region.to_owned(), id.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(id: &str) -> Box<DbInstance> {
        Box::new(DbInstance { id: id.to_owned(), ..DbInstance::default() })
    }

    #[test]
    fn the_last_effect_counts_and_regions_are_apart() {
        let mut overlay = Overlay::new();
        assert!(overlay.is_empty());
        overlay.apply(&PredictedEffect::Created(instance("drctl-a"), "us-east-1".to_owned()));
        assert_eq!(
            overlay.get("us-east-1", "DRCTL-A"),
            Some(&PredictedInstance::Present(instance("drctl-a")))
        );
        assert_eq!(overlay.get("us-west-2", "drctl-a"), None);
        overlay.apply(&PredictedEffect::Deleted {
            region: "us-east-1".to_owned(),
            id: "drctl-a".to_owned(),
        });
        assert_eq!(overlay.get("us-east-1", "drctl-a"), Some(&PredictedInstance::Absent));
        assert_eq!(overlay.in_region("us-east-1").count(), 1);
        assert_eq!(overlay.in_region("us-west-2").count(), 0);
    }
}
