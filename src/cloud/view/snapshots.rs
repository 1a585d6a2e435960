//! Reads of snapshots and of the keys that they are encrypted with.
//!
//! **Invariant:** an answer that was not understood is never an absent snapshot or an unusable key.

use super::{EstateView, MAX_PAGES, absent, read};
use crate::base::ids::RunId;
use crate::cloud::classify::sdk_error;
use crate::cloud::clients::ClientUse;
use crate::cloud::convert;
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::model::{DbSnapshot, KmsKey};
use crate::cloud::overlay::PredictedSnapshot;
use crate::cloud::permit::{self, PermitError, SnapshotPermit};
use crate::cloud::session::Shared;
use aws_sdk_kms::operation::RequestId as _;
use std::collections::BTreeMap;

const NO_SNAPSHOT: [&str; 4] = [
    "DBSnapshotNotFound",
    "DBSnapshotNotFoundFault",
    "DBInstanceNotFound",
    "DBInstanceNotFoundFault",
];

/// Kinds that RDS leaves out of a listing unless it is asked for them.
const KINDS: [Option<&str>; 2] = [None, Some("awsbackup")];

/// The kind that RDS wants to be told with an identifier that it gave itself.
fn kind_of(id: &str) -> Option<&'static str> {
    match id.split_once(':')?.0 {
        "rds" => Some("automated"),
        "awsbackup" => Some("awsbackup"),
        _ => None,
    }
}

/// The snapshot as AWS answers now, past any prediction (RDS `DescribeDBSnapshots`).
pub(crate) async fn describe_snapshot(
    shared: &Shared,
    region: &str,
    id: &str,
) -> Result<Option<DbSnapshot>, CloudError> {
    let call = read("rds:DescribeDBSnapshots", region);
    let client = shared.clients.rds(region, ClientUse::Reads);
    let request = client.describe_db_snapshots().db_snapshot_identifier(id);
    // An ARN may be another account's, which is answered only when asked for.
    let shared_too = id.starts_with("arn:").then_some(true);
    let kind = kind_of(id).map(str::to_owned);
    let answer = request.set_snapshot_type(kind).set_include_shared(shared_too).send().await;
    let answer = absent(answer.map_err(|error| sdk_error(call, &error)), &NO_SNAPSHOT)?;
    let found = answer.iter().flat_map(|answer| answer.db_snapshots()).map(convert::snapshot);
    Ok(found
        .into_iter()
        .find(|snapshot| snapshot.id.eq_ignore_ascii_case(id) || snapshot.arn == id))
}

impl EstateView {
    /// A snapshot, as predicted or else as it is (RDS `DescribeDBSnapshots`); `id` may be an ARN.
    ///
    /// # Errors
    /// When AWS cannot say; a snapshot that does not exist is `None`.
    pub async fn db_snapshot(
        &self,
        region: &str,
        id: &str,
    ) -> Result<Option<DbSnapshot>, CloudError> {
        match self.overlay.snapshot(region, id) {
            Some(PredictedSnapshot::Present(snapshot)) => Ok(Some((**snapshot).clone())),
            Some(PredictedSnapshot::Absent) => Ok(None),
            None => describe_snapshot(&self.shared, region, id).await,
        }
    }

    /// The snapshots of an instance that are in `region`, in order of identifier: automated, manual
    /// and AWS Backup's, copies from other regions and predicted ones included (RDS
    /// `DescribeDBSnapshots`, all pages). They outlive the instance.
    ///
    /// # Errors
    /// When AWS cannot say.
    pub async fn db_snapshots(
        &self,
        region: &str,
        instance: &str,
    ) -> Result<Vec<DbSnapshot>, CloudError> {
        let call = read("rds:DescribeDBSnapshots", region);
        let client = self.shared.clients.rds(region, ClientUse::Reads);
        let wanted = instance.to_ascii_lowercase();
        let mut found = BTreeMap::new();
        for kind in KINDS {
            let request = client.describe_db_snapshots().db_instance_identifier(instance);
            let request = request.set_snapshot_type(kind.map(str::to_owned));
            let mut pages = request.into_paginator().send();
            for _ in 0..MAX_PAGES {
                let Some(page) = pages.next().await else { break };
                let page = page.map_err(|error| sdk_error(call, &error));
                let Some(page) = absent(page, &NO_SNAPSHOT)? else { break };
                let snapshots = page.db_snapshots().iter().map(convert::snapshot);
                let snapshots = snapshots.filter(|snapshot| snapshot.instance == wanted);
                found.extend(snapshots.map(|snapshot| (snapshot.id.clone(), snapshot)));
            }
        }
        for (id, predicted) in self.overlay.snapshots_in(region) {
            match predicted {
                PredictedSnapshot::Present(snapshot) if snapshot.instance == wanted => {
                    found.insert(id.to_owned(), (**snapshot).clone());
                }
                PredictedSnapshot::Present(_) => {}
                PredictedSnapshot::Absent => {
                    found.remove(id);
                }
            }
        }
        Ok(found.into_values().collect())
    }

    /// All manual snapshots of a region by identifier, past any prediction (RDS
    /// `DescribeDBSnapshots`, all pages). What AWS made by itself, and ends by itself, is not asked for.
    ///
    /// # Errors
    /// When AWS cannot say.
    pub async fn manual_snapshots(
        &self,
        region: &str,
    ) -> Result<BTreeMap<String, DbSnapshot>, CloudError> {
        let call = read("rds:DescribeDBSnapshots", region);
        let client = self.shared.clients.rds(region, ClientUse::Reads);
        let mut found = BTreeMap::new();
        let mut pages =
            client.describe_db_snapshots().snapshot_type("manual").into_paginator().send();
        for _ in 0..MAX_PAGES {
            let Some(page) = pages.next().await else { break };
            let page = page.map_err(|error| sdk_error(call, &error))?;
            let snapshots = page.db_snapshots().iter().map(convert::snapshot);
            found.extend(snapshots.map(|snapshot| (snapshot.id.clone(), snapshot)));
        }
        Ok(found)
    }

    /// Proof that a snapshot is ours to delete, from a fresh answer of AWS: it exists, it is a manual
    /// one, and its tag `drctl:run` names this run.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn snapshot_permit(
        &self,
        region: &str,
        id: &str,
        run: &RunId,
    ) -> Result<SnapshotPermit, PermitError> {
        let found = describe_snapshot(&self.shared, region, id).await?;
        permit::judge_snapshot(region, id, found, run)
    }

    /// A key by id, ARN or alias (KMS `DescribeKey`).
    ///
    /// # Errors
    /// When AWS cannot say; a key that does not exist is `None`.
    pub async fn kms_key(&self, region: &str, id: &str) -> Result<Option<KmsKey>, CloudError> {
        let call = read("kms:DescribeKey", region);
        let client = self.shared.clients.kms(region, ClientUse::Reads);
        let answer = client.describe_key().key_id(id).send().await;
        let answer = answer.map_err(|error| sdk_error(call, &error));
        let answer = absent(answer, &["NotFoundException"])?;
        let Some(answer) = answer else { return Ok(None) };
        let metadata = answer.key_metadata().ok_or_else(|| CloudError {
            class: ErrorClass::Temporary,
            operation: call.operation.to_owned(),
            region: region.to_owned(),
            code: None,
            message: format!("the answer about key `{id}` has no KeyMetadata"),
            request_id: answer.request_id().map(str::to_owned),
        })?;
        Ok(Some(convert::key(metadata)))
    }
}
