//! Where two buckets are, what copies one to the other, and the comparison of them.
//!
//! **Invariant:** rules that could not be read are unknown, which no class takes for "there is none".

use super::engine::{CompareOptions, Comparison};
use super::judge::Rules;
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::listing::ListPlace;
use crate::cloud::model::{ReplicationSettings, Setting, Versioning};
use crate::cloud::view::EstateView;

const SUSPENDED: &str = "versioning of the source is suspended: S3 replicates nothing";

/// What was found out about two buckets before they are compared.
#[derive(Debug, Clone)]
pub struct Ground {
    /// Where both are.
    pub places: (ListPlace, ListPlace),
    /// What copies one to the other.
    pub rules: Rules,
    /// What has to be said of it.
    pub notes: Vec<String>,
}

impl EstateView {
    /// Finds out where two buckets are and what copies one to the other (S3 `HeadBucket`,
    /// `GetBucketVersioning`, `GetBucketReplication`).
    ///
    /// # Errors
    /// One of them is not there (`NoSuchBucket`) or cannot be asked.
    pub async fn compare_ground(
        &self,
        source: (&str, &str),
        destination: (&str, &str),
    ) -> Result<Ground, CloudError> {
        let places = tokio::try_join!(self.place(source), self.place(destination))?;
        let found = self.bucket_copying(&places.0.region, source.0).await;
        let (rules, notes) = match found {
            Ok((versioning, replication)) => {
                let mut notes = Vec::new();
                if versioning.known() == Some(&Versioning::Suspended) {
                    notes.push(SUSPENDED.to_owned());
                }
                let (rules, note) = leading(replication, source.0, destination.0);
                notes.extend(note);
                (rules, notes)
            }
            Err(error) => (Rules::Unknown, vec![format!("rules are not known: {error}")]),
        };
        Ok(Ground { places, rules, notes })
    }

    async fn place(&self, (bucket, prefix): (&str, &str)) -> Result<ListPlace, CloudError> {
        let region = self.bucket_region(bucket).await?;
        let region = region.ok_or_else(|| no_bucket(bucket, &self.shared().environment.region))?;
        let (bucket, prefix) = (bucket.to_owned(), prefix.to_owned());
        Ok(ListPlace { region, bucket, prefix })
    }

    /// A comparison on this ground.
    pub fn compare(&self, ground: &Ground, options: CompareOptions) -> Comparison {
        let (places, rules) = (ground.places.clone(), ground.rules.clone());
        Comparison::new(self.shared(), places, rules, options)
    }
}

/// The rules that lead from one bucket to the other, and what has to be said of them.
fn leading(
    found: Setting<ReplicationSettings>,
    source: &str,
    destination: &str,
) -> (Rules, Option<String>) {
    let found = match found {
        Setting::Known(found) => found,
        Setting::Absent => {
            return (Rules::Unknown, Some(format!("`{source}` has no replication of S3's own")));
        }
        Setting::Denied { operation, why } => {
            let note = format!("rules are not known: {operation} was refused ({why})");
            return (Rules::Unknown, Some(note));
        }
    };
    let leads =
        found.rules.into_iter().filter(|rule| rule.enabled && rule.destination == destination);
    let leads: Vec<_> = leads.collect();
    if leads.is_empty() {
        let note = format!("no rule of `{source}` that is switched on leads to `{destination}`");
        return (Rules::Unknown, Some(note));
    }
    (Rules::Known(leads), None)
}

fn no_bucket(bucket: &str, region: &str) -> CloudError {
    CloudError {
        class: ErrorClass::Permanent,
        operation: "s3:HeadBucket".to_owned(),
        region: region.to_owned(),
        code: Some("NoSuchBucket".to_owned()),
        message: format!("there is no bucket `{bucket}`"),
        request_id: None,
    }
}
