//! `rds.create_replica`: a read replica beside its source or in another region, to rebuild what a failover
//! used up.
//!
//! **Invariant:** the replica's name is given or a function of run and step, its creating call carries our
//! tags, and one that is public, not encrypted like its source, or not this run's is never handed over.

use super::creation::created;
use super::lag::{id_of, replication};
use super::replica_ground::{Readiness, Source, readiness, source, violation};
use super::restored::{foreign, undo};
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Role};
use crate::action::{Action, CitedDuration};
use crate::base::clock::format_instant;
use crate::base::ids::rds_name;
use crate::base::value::{Type, Value, Values};
use crate::cloud::PredictedEffect;
use crate::cloud::model::{DbInstance, ReplicaRequest, Replication};
use async_trait::async_trait;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// What acting calls.
const OPERATION: &str = "rds:CreateDBInstanceReadReplica";

/// The action.
#[derive(Debug)]
pub(crate) struct CreateReplica {
    spec: ActionSpec,
}

impl Default for CreateReplica {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "rds.create_replica",
            summary: "Makes a read replica in the step's region, private, encrypted like its source, and \
                      waits until it follows.",
            kind: ActionKind::Mutation,
            inputs: inputs(),
            outputs: vec![
                Field::required("instance", Type::String, "identifier of the replica"),
                Field::required("source", Type::String, "what it follows: identifier or ARN"),
                Field::required("endpoint", Type::String, "host name it listens on"),
                Field::required("port", Type::Int, "port it listens on"),
                Field::required("created_at", Type::Time, "when it was created"),
            ],
            calls: &["rds:DescribeDBInstances", "kms:DescribeKey", OPERATION],
            effects: &[],
            reversibility: undo(),
            role: Role::None,
            by_hand: "# Of a source in another region give the ARN, and a key of this region.\n\
                      aws rds create-db-instance-read-replica --region {region} \
                      --db-instance-identifier {instance} \
                      --source-db-instance-identifier {source} --no-publicly-accessible\
                      [ --kms-key-id {kms_key}][ --db-instance-class {class}]\
                      [ --db-subnet-group-name {subnet_group}]\
                      [ --vpc-security-group-ids {security_groups}]\
                      [ --db-parameter-group-name {parameter_group}]\n\
                      aws rds wait db-instance-available --region {region} \
                      --db-instance-identifier {instance}",
            default_timeout: Duration::from_secs(6 * 3600),
            poll_every: Duration::from_secs(15),
        };
        Self { spec }
    }
}

fn inputs() -> Vec<Field> {
    vec![
        Field::required("source", Type::String, "identifier or ARN of the source"),
        Field::optional("instance", Type::String, "its name; drctl's own when absent"),
        Field::optional("class", Type::String, "instance class; the source's when absent"),
        Field::optional(
            "kms_key",
            Type::String,
            "key of the step's region; needed for an encrypted source in another one",
        ),
        Field::optional(
            "subnet_group",
            Type::String,
            "the source's when absent, in another region the default one",
        ),
        Field::optional("security_groups", Type::texts(), "the VPC's default one when absent"),
        Field::optional("parameter_group", Type::String, "the source's or the default when absent"),
        Field::optional("multi_az", Type::Bool, "off when absent"),
        Field::optional("deletion_protection", Type::Bool, "off when absent"),
    ]
}

fn target(scope: &StepScope<'_>) -> String {
    let given = scope.text("instance").map(str::to_ascii_lowercase);
    let source = id_of(scope.text("source").unwrap_or_default());
    given.unwrap_or_else(|| rds_name(&source, scope.run, scope.step))
}

fn request(scope: &StepScope<'_>, source: &Source) -> ReplicaRequest {
    let text = |name: &str| scope.text(name).map(str::to_owned);
    let far = source.region != scope.region;
    ReplicaRequest {
        source: source.named.clone(),
        target: target(scope),
        class: text("class"),
        // In its source's region a replica has its source's key.
        kms_key: text("kms_key").filter(|_| far),
        subnet_group: text("subnet_group"),
        security_groups: scope.texts("security_groups").unwrap_or_default(),
        parameter_group: text("parameter_group"),
        multi_az: scope.boolean("multi_az").unwrap_or(false),
        deletion_protection: scope.boolean("deletion_protection").unwrap_or(false),
        // What has a name of the runbook's own is made to be used.
        tags: match scope.text("instance") {
            Some(_) => scope.kept_tags(),
            None => scope.tags(),
        },
    }
}

fn predictions(found: &DbInstance) -> BTreeMap<String, serde_json::Value> {
    [
        ("replica", json!(found.id)),
        ("class", json!(found.class)),
        ("storage_encrypted", json!(found.storage_encrypted)),
        ("publicly_accessible", json!(found.publicly_accessible)),
        ("multi_az", json!(found.multi_az)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn predicted(source: &DbInstance, request: &ReplicaRequest) -> DbInstance {
    let groups = request.parameter_group.iter();
    DbInstance {
        id: request.target.clone(),
        status: "available".to_owned(),
        class: request.class.clone().unwrap_or_else(|| source.class.clone()),
        engine: source.engine.clone(),
        engine_version: source.engine_version.clone(),
        storage_gib: source.storage_gib,
        storage_encrypted: source.storage_encrypted,
        kms_key_id: request.kms_key.clone().or_else(|| source.kms_key_id.clone()),
        multi_az: request.multi_az,
        publicly_accessible: Some(false),
        deletion_protection: request.deletion_protection,
        subnet_group: request.subnet_group.clone().or_else(|| source.subnet_group.clone()),
        security_groups: request.security_groups.clone(),
        parameter_groups: groups.map(|name| (name.clone(), "in-sync".to_owned())).collect(),
        replica_source: Some(request.source.clone()),
        replication: Some(Replication { status: "replicating".to_owned(), message: None }),
        master_user: source.master_user.clone(),
        database: source.database.clone(),
        tags: request.tags.clone(),
        ..DbInstance::default()
    }
}

fn judge(scope: &StepScope<'_>, source: &Source, found: &DbInstance) -> Observation {
    let waiting = |state: String, milestone| Observation::InProgress { state, milestone };
    if let Some((why, help)) = foreign(scope, &found.id, &found.tags) {
        return Observation::Broken { why, help };
    }
    if found.is_broken() {
        let why = format!("`{}` ended as `{}`", found.id, found.status);
        let help = "read its events (DescribeEvents); delete it and make another".to_owned();
        return Observation::Broken { why, help };
    }
    let Some(endpoint) = found.endpoint.as_ref().filter(|_| found.is_usable()) else {
        return waiting(found.status.clone(), None);
    };
    if let Some((why, help)) = violation(source, found) {
        return Observation::Broken { why, help };
    }
    if scope.text("kms_key").is_some() && !found.storage_encrypted {
        let why = format!("`{}` is not encrypted although a key was given", found.id);
        return Observation::Broken { why, help: format!("delete `{}`", found.id) };
    }
    if !found.replication.as_ref().is_some_and(Replication::is_active) {
        let state = format!("`{}`, replication `{}`", found.status, replication(found));
        return waiting(state, Some("available"));
    }
    let created = found.created_at.unwrap_or(scope.now);
    let seen =
        |name: &str, value: String| (name.to_owned(), value, "DescribeDBInstances".to_owned());
    Observation::Done(Done {
        outputs: Values::from([
            ("instance".to_owned(), Value::text(&found.id)),
            ("source".to_owned(), Value::text(&source.named)),
            ("endpoint".to_owned(), Value::text(&endpoint.host)),
            ("port".to_owned(), Value::Int(endpoint.port.into())),
            ("created_at".to_owned(), Value::Time(created)),
        ]),
        verdict: Verdict::Pass,
        milestone: Some("available"),
        observed: predictions(found),
        evidence: vec![
            seen("replica.resource_id", found.resource_id.clone()),
            seen("replica.source", source.named.clone()),
            seen("replica.replication", replication(found).to_owned()),
            seen("replica.encrypted", found.storage_encrypted.to_string()),
            seen("replica.created_at", format_instant(created)),
        ],
    })
}

impl CreateReplica {
    /// Whether the key can be used in the step's region; why not, otherwise.
    async fn unusable_key(&self, context: &ReadContext<'_>) -> Result<Option<String>, ActionError> {
        let scope = &context.scope;
        let Some(key) = scope.text("kms_key") else { return Ok(None) };
        let found = context.view.kms_key(scope.region, key).await?;
        Ok(match found {
            None => Some(format!("there is no key `{key}` in {}", scope.region)),
            Some(found) if !found.is_usable() => {
                Some(format!("key `{key}` in {} is `{}`", scope.region, found.state))
            }
            Some(_) => None,
        })
    }
}

#[async_trait]
impl Action for CreateReplica {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        let (low, high) = (Duration::from_secs(600), Duration::from_secs(3 * 3600));
        Some((low, high, "users: 10-30 min usual, hours for large ones and other regions"))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        if let Some(why) = scope.unknown() {
            let summary = "make a read replica".to_owned();
            return Ok(Preview::unknown(&self.spec, summary, why));
        }
        let source = source(scope)?;
        let request = request(scope, &source);
        let target = &request.target;
        let mut preview = Preview {
            summary: format!("make replica `{target}` of `{}` in {}", source.named, scope.region),
            cited_duration: self.cited_duration(),
            ..Preview::default()
        };
        let found = context.view.db_instance(&source.region, &source.id).await?;
        match readiness(scope, &source, found.as_ref()) {
            Readiness::Ready => {}
            Readiness::Wait(why) => preview.warnings.push(why),
            Readiness::Never { why, help } => preview.wont = Some(format!("{why}; {help}")),
        }
        if preview.wont.is_none() && source.region != scope.region {
            preview.wont = self.unusable_key(context).await?;
        }
        if let Some(taken) = context.view.db_instance(scope.region, target).await?
            && let Some((why, _)) = foreign(scope, &taken.id, &taken.tags)
        {
            preview.wont = Some(why);
        }
        let later = format!("`{target}` does not exist yet");
        preview.outputs = self.spec.unknown_outputs(&later);
        preview.outputs.insert("instance".to_owned(), Value::text(target));
        preview.outputs.insert("source".to_owned(), Value::text(&source.named));
        let Some(found) = found else { return Ok(preview) };
        if source.region != scope.region {
            let default = |name: &str| format!("{name}: the default of {} is used", scope.region);
            preview
                .warnings
                .extend(request.subnet_group.is_none().then(|| default("subnet group")));
            preview
                .warnings
                .extend(request.security_groups.is_empty().then(|| default("security group")));
        }
        preview
            .details
            .push("public access: would follow the subnet group; set to false".to_owned());
        let replica = predicted(&found, &request);
        preview.predictions = predictions(&replica);
        preview.effects =
            vec![PredictedEffect::Created(Box::new(replica), scope.region.to_owned())];
        Ok(preview)
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let source = source(scope)?;
        if let Some(found) = context.view.db_instance(scope.region, &target(scope)).await? {
            return Ok(judge(scope, &source, &found));
        }
        let found = context.view.db_instance(&source.region, &source.id).await?;
        Ok(match readiness(scope, &source, found.as_ref()) {
            Readiness::Ready => Observation::Absent,
            Readiness::Wait(state) => Observation::InProgress { state, milestone: None },
            Readiness::Never { why, help } => Observation::Broken { why, help },
        })
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let scope = &context.read.scope;
        let request = request(scope, &source(scope)?);
        created(
            context.writer.create_replica(scope.region, &request).await,
            "DBInstanceAlreadyExists",
        )
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (OPERATION.to_owned(), target(scope))
    }
}
