//! What is judged: a bucket, the buckets that it is copied to, and what CloudWatch measured of that.
//!
//! **Invariant:** reads only; a destination that may not be looked at is told apart from one that is not
//! there, and a figure that nobody gave is absent.

use crate::cloud::model::{BucketSettings, ReplicationFigures, ReplicationRule};
use crate::cloud::{CloudError, ErrorClass, EstateView};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What is asked about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// The bucket that is copied.
    pub source: String,
    /// The bucket that it should be copied to; `None` is every one that its rules name.
    pub destination: Option<String>,
    /// Keys that matter begin with this.
    pub prefix: String,
    /// Regions that copies may be in; none is any.
    pub allowed_regions: BTreeSet<String>,
    /// How long old versions have to be kept on both sides.
    pub keep: Option<Duration>,
}

/// Everything that the rules judge.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// What was asked.
    pub question: Question,
    /// The source.
    pub source: BucketSettings,
    /// Destinations by name: the one asked for, else all that rules name.
    pub destinations: BTreeMap<String, Destination>,
    /// Figures by rule id, of rules that have metrics.
    pub figures: BTreeMap<String, Measured>,
}

/// A destination as far as it could be looked at.
#[derive(Debug, Clone, PartialEq)]
pub enum Destination {
    /// Its configuration.
    Settings(Box<BucketSettings>),
    /// There is no such bucket.
    Missing,
    /// These credentials may not look, or it belongs to a place that does not answer: why.
    Unseen(String),
}

/// Figures of one rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Measured {
    /// As CloudWatch gave them; any of them may be absent.
    Figures(ReplicationFigures),
    /// CloudWatch could not be asked, and why.
    Unseen(String),
}

/// A bucket that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSuchBucket(pub String);

impl Subject {
    /// Reads the source, its destinations and their figures; the outer error when the source cannot be
    /// looked at.
    ///
    /// # Errors
    /// When S3 cannot say, or does not let these credentials look at the source.
    pub async fn read(
        view: &EstateView,
        question: Question,
    ) -> Result<Result<Self, NoSuchBucket>, CloudError> {
        let missing = || Ok(Err(NoSuchBucket(question.source.clone())));
        let Some(region) = view.bucket_region(&question.source).await? else { return missing() };
        let Some(source) = view.bucket_settings(&region, &question.source).await? else {
            return missing();
        };
        let mut names: BTreeSet<String> = question.destination.iter().cloned().collect();
        if question.destination.is_none() {
            let rules = source.replication.known().map(|found| found.rules.as_slice());
            names.extend(rules.unwrap_or_default().iter().map(|rule| rule.destination.clone()));
        }
        let mut destinations = BTreeMap::new();
        for name in names {
            let found = destination(view, &name).await?;
            destinations.insert(name, found);
        }
        let mut subject = Self { question, source, destinations, figures: BTreeMap::new() };
        subject.figures = figures(view, &subject).await?;
        Ok(Ok(subject))
    }

    /// Rules that copy to the destinations asked about.
    pub fn rules(&self) -> impl Iterator<Item = &ReplicationRule> {
        let all = self.source.replication.known().map(|found| found.rules.as_slice());
        let all = all.unwrap_or_default().iter();
        all.filter(|rule| self.destinations.contains_key(&rule.destination))
    }

    /// The same that are on.
    pub fn enabled(&self) -> impl Iterator<Item = &ReplicationRule> {
        self.rules().filter(|rule| rule.enabled)
    }

    /// Destinations whose configuration is known.
    pub fn seen(&self) -> impl Iterator<Item = &BucketSettings> {
        self.destinations.values().filter_map(|found| match found {
            Destination::Settings(settings) => Some(&**settings),
            Destination::Missing | Destination::Unseen(_) => None,
        })
    }
}

/// Whether an error means that these credentials may not look, so that the rest can still be judged.
fn is_refusal(error: &CloudError) -> bool {
    ["AccessDenied", "AllAccessDisabled", "Forbidden"].iter().any(|code| error.is(code))
}

async fn destination(view: &EstateView, name: &str) -> Result<Destination, CloudError> {
    let region = match view.bucket_region(name).await {
        Ok(Some(region)) => region,
        Ok(None) => return Ok(Destination::Missing),
        Err(error) if is_refusal(&error) => return Ok(Destination::Unseen(error.to_string())),
        Err(error) => return Err(error),
    };
    match view.bucket_settings(&region, name).await {
        Ok(Some(settings)) => Ok(Destination::Settings(Box::new(settings))),
        Ok(None) => Ok(Destination::Missing),
        // A region that is lost does not keep the rest from being told.
        Err(error) if is_refusal(&error) || error.class == ErrorClass::Unreachable => {
            Ok(Destination::Unseen(error.to_string()))
        }
        Err(error) => Err(error),
    }
}

async fn figures(
    view: &EstateView,
    subject: &Subject,
) -> Result<BTreeMap<String, Measured>, CloudError> {
    let source = (subject.source.region.as_str(), subject.source.bucket.as_str());
    let mut found = BTreeMap::new();
    for rule in subject.enabled().filter(|rule| rule.metrics) {
        let to = subject.seen().find(|settings| settings.bucket == rule.destination);
        let Some(to) = to else { continue };
        let place = (to.region.as_str(), to.bucket.as_str());
        let measured = match view.replication_figures(source, place, &rule.id).await {
            Ok(figures) => Measured::Figures(figures),
            // CloudWatch is beside the point of the check: without it, what S3 said still stands.
            Err(error) if error.class != ErrorClass::Refused => Measured::Unseen(error.to_string()),
            Err(error) => return Err(error),
        };
        found.insert(rule.id.clone(), measured);
    }
    Ok(found)
}
