//! The catalogue of verbs: one file a verb, each observes, previews and acts, and none of them waits.
//!
//! **Invariant:** no action sleeps, loops over time or retries; the engine does all waiting. `observe` and
//! `preview` cannot reach anything that writes.

mod catalogue;
mod cloudwatch;
mod context;
mod dns;
mod ecs;
mod fence;
mod gate;
mod http;
mod logs;
mod notify;
mod outcome;
mod rds;
mod route53;
mod runbook;
pub mod s3;
mod secrets;
mod shell;
pub mod spec;
mod sql;
mod standing;

pub use catalogue::Catalogue;
pub use context::{Memory, PastIntent, ReadContext, StepScope, WriteContext};
pub(crate) use gate::MOST_APPROVALS;
pub use outcome::{Acted, ActionError, CitedDuration, Done, Figure, Observation, Preview, Verdict};
pub use standing::{Condition, Standing};

use async_trait::async_trait;
use spec::ActionSpec;
use std::sync::Arc;

/// The actions of this version.
pub fn standard() -> Catalogue {
    let actions: Vec<Arc<dyn Action>> = vec![
        Arc::new(gate::Approve::default()),
        Arc::new(gate::WaitUntil::default()),
        Arc::new(cloudwatch::Watch::default()),
        Arc::new(rds::CheckSource::default()),
        Arc::new(rds::RestoreToPointInTime::default()),
        Arc::new(rds::DeleteInstance::default()),
        Arc::new(rds::CreateSnapshot::default()),
        Arc::new(rds::RestoreFromSnapshot::default()),
        Arc::new(rds::VerifySnapshot::default()),
        Arc::new(rds::DeleteSnapshot::default()),
        Arc::new(rds::ForceFailover::default()),
        Arc::new(route53::ChangeRecords::default()),
        Arc::new(route53::CheckRecords::default()),
        Arc::new(route53::InvertHealthCheck::default()),
        Arc::new(route53::ShiftWeights::default()),
        Arc::new(route53::WaitInSync::default()),
        Arc::new(rds::CheckReplica::default()),
        Arc::new(rds::PromoteReplica::default()),
        Arc::new(rds::CreateReplica::default()),
        Arc::new(rds::CopySnapshot::default()),
        Arc::new(rds::ModifyInstance::default()),
        Arc::new(rds::RenameInstance::default()),
        Arc::new(rds::CheckExport::default()),
        Arc::new(rds::CheckRetention::default()),
        Arc::new(secrets::SwitchEndpoint::default()),
        Arc::new(secrets::Rotate::default()),
        Arc::new(fence::FenceSecurityGroup::default()),
        Arc::new(fence::ReleaseSecurityGroup::default()),
        Arc::new(ecs::CheckService::default()),
        Arc::new(ecs::Scale::default()),
        Arc::new(ecs::Redeploy::default()),
        Arc::new(ecs::Deploy::default()),
        Arc::new(ecs::RollBack::default()),
        Arc::new(ecs::WaitStable::default()),
        Arc::new(ecs::Fence::default()),
        Arc::new(logs::Preserve::default()),
        Arc::new(s3::CheckReplication::default()),
        Arc::new(s3::MeasureCanary::default()),
        Arc::new(s3::RemoveCanary::default()),
        Arc::new(s3::Compare::default()),
        Arc::new(s3::CheckVersioning::default()),
        Arc::new(s3::RestoreVersions::default()),
        Arc::new(s3::VerifyVersions::default()),
        Arc::new(sql::SqlCheck::default()),
        Arc::new(sql::SqlHeartbeat::default()),
        Arc::new(http::HttpCheck::default()),
        Arc::new(dns::DnsCheck::default()),
        Arc::new(notify::NotifyWebhook::default()),
        Arc::new(notify::NotifySns::default()),
        Arc::new(shell::ShellRun::default()),
        Arc::new(runbook::Call::default()),
    ];
    Catalogue::of(actions)
}

/// A verb of the catalogue. It reconciles: `observe` says how things are, `act` changes them when they
/// are absent, and the engine observes again until done, broken or out of time.
#[async_trait]
pub trait Action: Send + Sync {
    /// What it declares.
    fn spec(&self) -> &ActionSpec;

    /// How long it usually takes, whatever its inputs: lower and upper end, and who says so. A preview
    /// that knows better says its own.
    fn cited_duration(&self) -> Option<CitedDuration> {
        None
    }

    /// Whether it does something else in each form of a run: a dry run then shows both.
    fn differs_by_form(&self) -> bool {
        false
    }

    /// What is at stake if it acts now, read afresh: the data that would be lost, and the like. A gate
    /// before it shows that while it waits. What cannot be read is an unknown figure and no error.
    async fn stakes(&self, _: &ReadContext<'_>) -> Vec<Figure> {
        Vec::new()
    }

    /// Of a fence that has succeeded: what says now that it no longer holds, or that nobody could look.
    /// `None` when it holds, and of everything that is no fence. A gate before a promotion asks for it.
    async fn breach(&self, _: &ReadContext<'_>) -> Option<Figure> {
        None
    }

    /// Predicts what a run would do, reading through the overlay of earlier steps' predictions.
    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError>;

    /// Looks. For a check this is the check itself.
    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError>;

    /// Changes; called only after `observe` said `Absent`, at most once an intent.
    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError>;

    /// The operation and target that `act` is about to call, for the recorded intent.
    fn intent(&self, scope: &StepScope<'_>) -> (String, String);
}
