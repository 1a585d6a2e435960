//! The parts of a bucket's configuration, one call each.
//!
//! **Invariant:** each part has its own codes for "there is none"; any other error is not taken for that.

use super::{EstateView, MAX_PAGES, read, rules, setting};
use crate::cloud::classify::sdk_error;
use crate::cloud::clients::ClientUse;
use crate::cloud::error::CloudError;
use crate::cloud::model::{
    BucketEncryption, BucketKeeping, BucketSettings, InventorySettings, LifecycleRule, ObjectLock,
    PublicAccess, ReplicationSettings, Setting, Versioning,
};
use aws_sdk_s3::Client;
use aws_sdk_s3::types::{BucketVersioningStatus, ObjectLockEnabled, ServerSideEncryption};

const VERSIONING: &str = "s3:GetBucketVersioning";
const REPLICATION: &str = "s3:GetBucketReplication";
const ENCRYPTION: &str = "s3:GetBucketEncryption";
const PUBLIC_ACCESS: &str = "s3:GetPublicAccessBlock";
const POLICY_STATUS: &str = "s3:GetBucketPolicyStatus";
const LIFECYCLE: &str = "s3:GetBucketLifecycleConfiguration";
const OBJECT_LOCK: &str = "s3:GetObjectLockConfiguration";
const OWNERSHIP: &str = "s3:GetBucketOwnershipControls";
const INVENTORIES: &str = "s3:ListBucketInventoryConfigurations";

/// One bucket in one region.
struct Asked<'a> {
    client: Client,
    region: &'a str,
    bucket: &'a str,
}

impl EstateView {
    /// All parts, one call after the other.
    pub(super) async fn parts_of(
        &self,
        region: &str,
        bucket: &str,
    ) -> Result<BucketSettings, CloudError> {
        let client = self.shared.clients.s3(region, ClientUse::Reads);
        let asked = Asked { client, region, bucket };
        Ok(BucketSettings {
            bucket: bucket.to_owned(),
            region: region.to_owned(),
            versioning: asked.versioning().await?,
            replication: asked.replication().await?,
            encryption: asked.encryption().await?,
            public_access: asked.public_access().await?,
            policy_is_public: asked.policy_is_public().await?,
            lifecycle: asked.lifecycle().await?,
            object_lock: asked.object_lock().await?,
            ownership: asked.ownership().await?,
            inventories: asked.inventories().await?,
        })
    }
}

impl EstateView {
    /// Whether versions of a bucket are kept, and where its objects are copied to (S3
    /// `GetBucketVersioning`, `GetBucketReplication`).
    ///
    /// # Errors
    /// When S3 cannot say; what it refuses to say is [`Setting::Denied`].
    pub async fn bucket_copying(
        &self,
        region: &str,
        bucket: &str,
    ) -> Result<(Setting<Versioning>, Setting<ReplicationSettings>), CloudError> {
        let client = self.shared.clients.s3(region, ClientUse::Reads);
        let asked = Asked { client, region, bucket };
        tokio::try_join!(asked.versioning(), asked.replication())
    }
}

impl EstateView {
    /// What decides what a bucket keeps of its objects' past, and what it does with every new version (S3
    /// `GetBucketVersioning`, `GetBucketReplication`, `GetBucketLifecycleConfiguration`,
    /// `GetObjectLockConfiguration`, `GetBucketOwnershipControls`); `None` when there is no such bucket.
    ///
    /// # Errors
    /// When S3 cannot say; what it refuses to say is a part that is [`Setting::Denied`].
    pub async fn bucket_keeping(
        &self,
        region: &str,
        bucket: &str,
    ) -> Result<Option<BucketKeeping>, CloudError> {
        let client = self.shared.clients.s3(region, ClientUse::Reads);
        let asked = Asked { client, region, bucket };
        match asked.keeping().await {
            Err(error) if error.is(super::NO_BUCKET) => Ok(None),
            found => found.map(Some),
        }
    }
}

impl Asked<'_> {
    async fn keeping(&self) -> Result<BucketKeeping, CloudError> {
        Ok(BucketKeeping {
            versioning: self.versioning().await?,
            replication: self.replication().await?,
            lifecycle: self.lifecycle().await?,
            object_lock: self.object_lock().await?,
            ownership: self.ownership().await?,
        })
    }

    async fn versioning(&self) -> Result<Setting<Versioning>, CloudError> {
        let answer = self.client.get_bucket_versioning().bucket(self.bucket).send().await;
        let answer = answer.map_err(|error| sdk_error(read(VERSIONING, self.region), &error));
        let found = answer.map(|found| match found.status() {
            Some(BucketVersioningStatus::Enabled) => Some(Versioning::Enabled),
            Some(BucketVersioningStatus::Suspended) => Some(Versioning::Suspended),
            // A bucket that never had it answers with nothing.
            _ => None,
        });
        setting(VERSIONING, found, &[])
    }

    async fn replication(&self) -> Result<Setting<ReplicationSettings>, CloudError> {
        let answer = self.client.get_bucket_replication().bucket(self.bucket).send().await;
        let answer = answer.map_err(|error| sdk_error(read(REPLICATION, self.region), &error));
        let found =
            answer.map(|found| found.replication_configuration().map(rules::replication_settings));
        setting(REPLICATION, found, &["ReplicationConfigurationNotFoundError"])
    }

    async fn encryption(&self) -> Result<Setting<BucketEncryption>, CloudError> {
        let answer = self.client.get_bucket_encryption().bucket(self.bucket).send().await;
        let answer = answer.map_err(|error| sdk_error(read(ENCRYPTION, self.region), &error));
        let found = answer.map(|found| {
            let rules = found.server_side_encryption_configuration()?.rules();
            rules.iter().find_map(|rule| {
                let default = rule.apply_server_side_encryption_by_default()?;
                let algorithm: &ServerSideEncryption = default.sse_algorithm();
                Some(BucketEncryption {
                    algorithm: algorithm.as_str().to_owned(),
                    key: default.kms_master_key_id().map(str::to_owned),
                    bucket_key: rule.bucket_key_enabled().unwrap_or(false),
                })
            })
        });
        setting(ENCRYPTION, found, &["ServerSideEncryptionConfigurationNotFoundError"])
    }

    async fn public_access(&self) -> Result<Setting<PublicAccess>, CloudError> {
        let answer = self.client.get_public_access_block().bucket(self.bucket).send().await;
        let answer = answer.map_err(|error| sdk_error(read(PUBLIC_ACCESS, self.region), &error));
        let found = answer.map(|found| {
            let block = found.public_access_block_configuration()?;
            Some(PublicAccess {
                block_acls: block.block_public_acls().unwrap_or(false),
                ignore_acls: block.ignore_public_acls().unwrap_or(false),
                block_policy: block.block_public_policy().unwrap_or(false),
                restrict: block.restrict_public_buckets().unwrap_or(false),
            })
        });
        setting(PUBLIC_ACCESS, found, &["NoSuchPublicAccessBlockConfiguration"])
    }

    async fn policy_is_public(&self) -> Result<Setting<bool>, CloudError> {
        let answer = self.client.get_bucket_policy_status().bucket(self.bucket).send().await;
        let answer = answer.map_err(|error| sdk_error(read(POLICY_STATUS, self.region), &error));
        let found = answer.map(|found| found.policy_status().and_then(|status| status.is_public()));
        setting(POLICY_STATUS, found, &["NoSuchBucketPolicy"])
    }

    async fn lifecycle(&self) -> Result<Setting<Vec<LifecycleRule>>, CloudError> {
        let answer =
            self.client.get_bucket_lifecycle_configuration().bucket(self.bucket).send().await;
        let answer = answer.map_err(|error| sdk_error(read(LIFECYCLE, self.region), &error));
        let found =
            answer.map(|found| Some(found.rules().iter().map(rules::lifecycle_rule).collect()));
        setting(LIFECYCLE, found, &["NoSuchLifecycleConfiguration"])
    }

    async fn object_lock(&self) -> Result<Setting<ObjectLock>, CloudError> {
        let answer = self.client.get_object_lock_configuration().bucket(self.bucket).send().await;
        let answer = answer.map_err(|error| sdk_error(read(OBJECT_LOCK, self.region), &error));
        let found = answer.map(|found| {
            let lock = found.object_lock_configuration()?;
            let default = lock.rule().and_then(|rule| rule.default_retention());
            Some(ObjectLock {
                enabled: lock.object_lock_enabled() == Some(&ObjectLockEnabled::Enabled),
                mode: default.and_then(|d| d.mode()).map(|mode| mode.as_str().to_owned()),
                days: default.and_then(|d| d.days()),
                years: default.and_then(|d| d.years()),
            })
        });
        setting(OBJECT_LOCK, found, &["ObjectLockConfigurationNotFoundError"])
    }

    async fn ownership(&self) -> Result<Setting<String>, CloudError> {
        let answer = self.client.get_bucket_ownership_controls().bucket(self.bucket).send().await;
        let answer = answer.map_err(|error| sdk_error(read(OWNERSHIP, self.region), &error));
        let found = answer.map(|found| {
            let rules = found.ownership_controls()?.rules();
            rules.first().map(|rule| rule.object_ownership().as_str().to_owned())
        });
        setting(OWNERSHIP, found, &["OwnershipControlsNotFoundError"])
    }

    async fn inventories(&self) -> Result<Setting<Vec<InventorySettings>>, CloudError> {
        setting(INVENTORIES, self.inventory_pages().await, &["NoSuchConfiguration"])
    }

    async fn inventory_pages(&self) -> Result<Option<Vec<InventorySettings>>, CloudError> {
        let call = read(INVENTORIES, self.region);
        let (mut found, mut token) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let request = self.client.list_bucket_inventory_configurations().bucket(self.bucket);
            let answer = request.set_continuation_token(token.take()).send().await;
            let answer = answer.map_err(|error| sdk_error(call, &error))?;
            let list = answer.inventory_configuration_list();
            found.extend(list.iter().filter_map(rules::inventory));
            token = answer.next_continuation_token().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        Ok((!found.is_empty()).then_some(found))
    }
}
