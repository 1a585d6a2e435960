//! Typed reads of AWS through predicted effects.
//!
//! **Invariant:** no SDK client is reachable from here, and nothing here changes anything.

use crate::base::clock::to_delta;
use crate::base::ids::RunId;
use crate::cloud::classify::{Call, Intent, sdk_error};
use crate::cloud::clients::ClientUse;
use crate::cloud::convert;
use crate::cloud::error::CloudError;
use crate::cloud::model::{AutomatedBackup, DbEvent, DbInstance, SecretVersion};
use crate::cloud::overlay::{Overlay, PredictedInstance};
use crate::cloud::permit::{self, DeletePermit, PermitError};
use crate::cloud::session::Shared;
use crate::cloud::time::to_sdk;
use aws_sdk_rds::types::SourceType;
use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

mod alarms;
mod buckets;
mod canary;
mod containers;
mod exports;
mod lists;
mod load;
mod logs;
mod metrics;
mod objects;
mod records;
mod security_groups;
mod snapshots;
pub use alarms::HEALTH_CHECK_REGION;
pub(crate) use objects::version_page;
pub(crate) use records::change;
pub(crate) use snapshots::describe_snapshot;

/// How long RDS keeps events, less a minute, because a start that is too old is an error.
const EVENTS_KEPT: Duration = Duration::from_secs(14 * 24 * 3600 - 60);

/// Pages of one listing. At 100 entries a page this is far above RDS's quotas; a server that never
/// ends its pages must not keep a run busy for ever.
const MAX_PAGES: usize = 500;

/// Typed reads of one session.
#[derive(Debug, Clone)]
pub struct EstateView {
    shared: Arc<Shared>,
    protected: Arc<BTreeSet<String>>,
    overlay: Overlay,
}

fn read<'a>(operation: &'a str, region: &'a str) -> Call<'a> {
    Call { operation, region, intent: Intent::Read }
}

/// An absent thing is an answer, not an error.
fn absent<T>(result: Result<T, CloudError>, codes: &[&str]) -> Result<Option<T>, CloudError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if codes.iter().any(|code| error.is(code)) => Ok(None),
        Err(error) => Err(error),
    }
}

const NO_INSTANCE: [&str; 2] = ["DBInstanceNotFound", "DBInstanceNotFoundFault"];
const NO_BACKUP: [&str; 2] =
    ["DBInstanceAutomatedBackupNotFound", "DBInstanceAutomatedBackupNotFoundFault"];

/// The instance as AWS answers now, past any prediction (RDS `DescribeDBInstances`).
pub(crate) async fn describe(
    shared: &Shared,
    region: &str,
    id: &str,
) -> Result<Option<DbInstance>, CloudError> {
    let call = read("rds:DescribeDBInstances", region);
    let client = shared.clients.rds(region, ClientUse::Reads);
    let answer = client.describe_db_instances().db_instance_identifier(id).send().await;
    let answer = absent(answer.map_err(|error| sdk_error(call, &error)), &NO_INSTANCE)?;
    let wanted = id.to_ascii_lowercase();
    let found = answer.as_ref().and_then(|answer| {
        answer.db_instances().iter().map(convert::instance).find(|instance| instance.id == wanted)
    });
    Ok(found)
}

impl EstateView {
    pub(crate) fn new(
        shared: Arc<Shared>,
        protected: Arc<BTreeSet<String>>,
        overlay: Overlay,
    ) -> Self {
        Self { shared, protected, overlay }
    }

    /// What all views of the session share.
    pub(in crate::cloud) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The predicted effects that this view reads through.
    pub fn overlay(&self) -> &Overlay {
        &self.overlay
    }

    /// The same view with other predicted effects.
    #[must_use]
    pub fn with_overlay(&self, overlay: Overlay) -> Self {
        Self { overlay, ..self.clone() }
    }

    /// A database instance, as predicted or else as it is (RDS `DescribeDBInstances`).
    ///
    /// # Errors
    /// When AWS cannot say; an instance that does not exist is `None`.
    pub async fn db_instance(
        &self,
        region: &str,
        id: &str,
    ) -> Result<Option<DbInstance>, CloudError> {
        match self.overlay.get(region, id) {
            Some(PredictedInstance::Present(instance)) => Ok(Some((**instance).clone())),
            Some(PredictedInstance::Absent) => Ok(None),
            None => describe(&self.shared, region, id).await,
        }
    }

    /// All database instances of a region by identifier, predicted ones included
    /// (RDS `DescribeDBInstances`, all pages).
    ///
    /// # Errors
    /// When AWS cannot say.
    pub async fn db_instances(
        &self,
        region: &str,
    ) -> Result<BTreeMap<String, DbInstance>, CloudError> {
        let call = read("rds:DescribeDBInstances", region);
        let client = self.shared.clients.rds(region, ClientUse::Reads);
        let mut found = BTreeMap::new();
        let mut pages = client.describe_db_instances().into_paginator().send();
        for _ in 0..MAX_PAGES {
            let Some(page) = pages.next().await else { break };
            let page = page.map_err(|error| sdk_error(call, &error))?;
            let instances = page.db_instances().iter().map(convert::instance);
            found.extend(instances.map(|instance| (instance.id.clone(), instance)));
        }
        for (id, predicted) in self.overlay.in_region(region) {
            match predicted {
                PredictedInstance::Present(instance) => {
                    found.insert(id.to_owned(), (**instance).clone());
                }
                PredictedInstance::Absent => {
                    found.remove(id);
                }
            }
        }
        Ok(found)
    }

    /// The automated backups of the instance with `resource_id`
    /// (RDS `DescribeDBInstanceAutomatedBackups`); active ones before retained ones.
    ///
    /// # Errors
    /// When AWS cannot say; no backups are `None`.
    pub async fn automated_backup(
        &self,
        region: &str,
        resource_id: &str,
    ) -> Result<Option<AutomatedBackup>, CloudError> {
        let call = read("rds:DescribeDBInstanceAutomatedBackups", region);
        let client = self.shared.clients.rds(region, ClientUse::Reads);
        let request = client.describe_db_instance_automated_backups().dbi_resource_id(resource_id);
        let mut pages = request.into_paginator().send();
        let mut found = Vec::new();
        for _ in 0..MAX_PAGES {
            let Some(page) = pages.next().await else { break };
            let page = page.map_err(|error| sdk_error(call, &error));
            let Some(page) = absent(page, &NO_BACKUP)? else { break };
            let backups =
                page.db_instance_automated_backups().iter().map(convert::automated_backup);
            found.extend(backups.filter(|backup| backup.resource_id == resource_id));
        }
        found.sort_by_key(|backup| backup.status != "active");
        Ok(found.into_iter().next())
    }

    /// An instant of ours as the other side's clock had it, as far as its answers tell; never later, to the
    /// second that events have.
    pub fn their_time(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let there = at + self.shared.skew().unwrap_or_default();
        there.with_nanosecond(0).unwrap_or(there)
    }

    /// Events of a database instance since an instant, oldest first (RDS `DescribeEvents`). AWS
    /// keeps them for 14 days: an earlier instant means from then on.
    ///
    /// # Errors
    /// When AWS cannot say; an unknown instance has no events.
    pub async fn db_events(
        &self,
        region: &str,
        id: &str,
        since: DateTime<Utc>,
    ) -> Result<Vec<DbEvent>, CloudError> {
        let ahead = self.shared.skew().unwrap_or_default().max(TimeDelta::zero());
        let until = self.shared.clock.now() + ahead;
        let since = since.max(until - to_delta(EVENTS_KEPT));
        if since >= until || self.overlay.get(region, id).is_some() {
            return Ok(Vec::new());
        }
        let call = read("rds:DescribeEvents", region);
        let client = self.shared.clients.rds(region, ClientUse::Reads);
        let request = client
            .describe_events()
            .source_identifier(id)
            .source_type(SourceType::DbInstance)
            .start_time(to_sdk(since))
            .end_time(to_sdk(until));
        let mut pages = request.into_paginator().send();
        let mut found = Vec::new();
        for _ in 0..MAX_PAGES {
            let Some(page) = pages.next().await else { break };
            let page = page.map_err(|error| sdk_error(call, &error));
            let Some(page) = absent(page, &NO_INSTANCE)? else { break };
            found.extend(page.events().iter().filter_map(convert::event));
        }
        found.sort_by_key(|event| event.at);
        Ok(found)
    }

    /// Versions of a secret, without values (Secrets Manager `ListSecretVersionIds`).
    ///
    /// # Errors
    /// When AWS cannot say; a secret that does not exist is `ResourceNotFoundException`.
    pub async fn secret_versions(
        &self,
        region: &str,
        secret: &str,
    ) -> Result<Vec<SecretVersion>, CloudError> {
        let call = read("secretsmanager:ListSecretVersionIds", region);
        let client = self.shared.clients.secretsmanager(region, ClientUse::Reads);
        let mut pages = client.list_secret_version_ids().secret_id(secret).into_paginator().send();
        let mut found = Vec::new();
        for _ in 0..MAX_PAGES {
            let Some(page) = pages.next().await else { break };
            let page = page.map_err(|error| sdk_error(call, &error))?;
            found.extend(page.versions().iter().map(|version| SecretVersion {
                id: version.version_id().unwrap_or_default().to_owned(),
                stages: version.version_stages().to_vec(),
            }));
        }
        Ok(found)
    }

    /// Proof that an instance is ours to delete, from a fresh answer of AWS: it exists, it is not
    /// the estate's, and its tag `drctl:run` names this run.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn delete_permit(
        &self,
        region: &str,
        id: &str,
        run: &RunId,
    ) -> Result<DeletePermit, PermitError> {
        permit::refuse_protected(region, id, &self.protected)?;
        let found = describe(&self.shared, region, id).await?;
        permit::judge(region, id, found, run)
    }
}
