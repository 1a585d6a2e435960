//! Looks for what carries drctl's tags, region by region, and for runs that have not ended.
//!
//! **Invariant:** only reads; a region that cannot be read is named and hides no other.

use super::judge::{Grounds, Judgement, Resource, judge};
use crate::base::clock::Clock;
use crate::base::ids::RunId;
use crate::cli::launch::Tools;
use crate::cloud::{CloudError, ErrorClass, EstateView};
use crate::estate::{Environment, Estate};
use crate::journal::list_runs;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

/// How often a look is tried that AWS could not answer for the moment.
const TRIES: u32 = 6;

/// Time before the second try; doubles each time.
const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Everything with a tag of drctl's, in the order of regions, kinds and names.
    pub(super) resources: Vec<(Resource, Judgement)>,
    /// Regions that could not be read, wholly or in part.
    pub(super) unread: Vec<(String, CloudError)>,
}

/// Lists and judges the regions one after the other.
pub(super) async fn find(
    view: &EstateView,
    clock: &Clock,
    regions: &[String],
    grounds: &Grounds,
) -> Found {
    let mut found = Found::default();
    for region in regions {
        let mut here = Vec::new();
        match patiently(clock, || view.db_instances(region)).await {
            Ok(instances) => {
                let instances = instances.into_values();
                here.extend(instances.filter_map(|one| Resource::of_instance(region, one)));
            }
            Err(error) => found.unread.push((region.clone(), error)),
        }
        match patiently(clock, || view.manual_snapshots(region)).await {
            Ok(snapshots) => {
                let snapshots = snapshots.into_values();
                here.extend(snapshots.filter_map(|one| Resource::of_snapshot(region, one)));
            }
            Err(error) => found.unread.push((region.clone(), error)),
        }
        found.resources.extend(here.into_iter().map(|one| {
            let judgement = judge(&one, grounds);
            (one, judgement)
        }));
    }
    found
}

/// Asks until AWS answers, a few times, further and further apart.
pub(super) async fn patiently<T, F>(
    clock: &Clock,
    mut ask: impl FnMut() -> F,
) -> Result<T, CloudError>
where
    F: Future<Output = Result<T, CloudError>>,
{
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match ask().await {
            Err(error) if error.class == ErrorClass::Temporary => {}
            answered => return answered,
        }
        clock.sleep(pause).await;
        pause *= 2;
    }
    ask().await
}

/// Identifiers of the estate's own instances, here and in its other environments.
pub(super) fn sources(estate: &Estate, environment: &Environment) -> BTreeSet<String> {
    let here = estate.databases.keys().filter_map(|name| estate.database_in(name, environment));
    let instances =
        here.chain(estate.databases.values().cloned()).map(|database| database.instance);
    instances.map(|id| id.to_ascii_lowercase()).collect()
}

/// Runs that have not ended, or whose journals do not say, and what to do: those of the state directory,
/// into which shared ones were brought before.
pub(super) fn open_runs(tools: &Tools) -> BTreeMap<RunId, String> {
    let runs = list_runs(tools.state.root()).into_iter().filter_map(|summary| {
        let run = RunId::parse(&summary.run)?;
        let why = match (&summary.problem, summary.outcome) {
            (Some(problem), _) => {
                format!("whether run {run} has ended is not known, for its journal: {problem}")
            }
            (None, None) => format!("run {run} has not ended: drctl resume {run}"),
            (None, Some(_)) => return None,
        };
        Some((run, why))
    });
    runs.collect()
}
