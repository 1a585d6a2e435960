//! Tells an SNS topic how a run goes: started, waiting for somebody, a step failed, ended.
//!
//! **Invariant:** best effort: whatever becomes of a notice, the run goes on. One is made only by the process
//! that recorded what it tells, directly after, so that no resume sends it again; one whose answer did not
//! come is not repeated.

use crate::base::clock::{Clock, format_instant};
use crate::base::digest::Digest;
use crate::base::redact::redact;
use crate::cli::args::LaunchArgs;
use crate::cli::error::CommandError;
use crate::cli::launch::Launch;
use crate::cli::link::Link;
use crate::cli::out;
use crate::cloud::model::Publication;
use crate::cloud::{Cloud, CloudError, GuardPolicy};
use crate::estate::Environment;
use crate::journal::event::{Event, Record};
use crate::journal::fold::RunState;
use crate::journal::{JournalError, Store};
use crate::plan::NotifyRecord;
use crate::plan::model::{Plan, RunMode};
use crate::report::Report;
use crate::report::line::answer_command;
use crate::report::measure::human_ms;
use crate::report::model::WaterfallEnd;
use crate::runbook::Notify;
use crate::runner::Observer;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Note of a journal: what became of a notice.
pub(super) const NOTICE: &str = "notice";

/// What a notice may call.
const PUBLISH: &str = "sns:Publish";

/// How long the end of a command waits for notices that are on their way.
const LAST_ONES: Duration = Duration::from_secs(45);

/// Longest subject that SNS takes, characters.
const SUBJECT: usize = 100;

/// Whom the run tells how it goes.
///
/// # Errors
/// What is named is no topic.
pub(super) fn told(
    launch: &Launch,
    args: &LaunchArgs,
    environment: &Environment,
) -> Result<Option<NotifyRecord>, CommandError> {
    let own = args.notify.as_ref().map(|topic| Notify {
        topic: topic.clone(),
        region: None,
        on: Vec::new(),
    });
    let notify = own.or_else(|| launch.notify.clone()).or_else(|| launch.runbook.notify.clone());
    let Some(Notify { topic, region, on }) = notify else { return Ok(None) };
    let region = region.as_ref().unwrap_or(&environment.region);
    let place = (region.as_str(), environment.account.as_str());
    NotifyRecord::of(&topic, place, &on)
        .map(Some)
        .map_err(|why| CommandError::usage(format!("notify: {why}")))
}

/// A notice, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Notice {
    /// One of [`NotifyRecord::EVENTS`].
    on: &'static str,
    /// What it is a notice of, unique in the run: a repetition is known by it.
    of: String,
    subject: String,
    text: String,
    facts: Json,
}

/// Watches a run and makes notices.
pub(super) struct Notices {
    plan: Plan,
    notify: NotifyRecord,
    link: Option<String>,
    queue: UnboundedSender<Notice>,
    /// Whether this process recorded the end of the run.
    ended: bool,
}

/// Sends them.
pub(super) struct Sender {
    plan: Plan,
    notify: NotifyRecord,
    queue: UnboundedReceiver<Notice>,
    /// What became of each, for the journal.
    done: Vec<Json>,
}

/// Both ends, if the plan tells somebody.
pub(super) fn notices(plan: &Plan, link: Option<Link>) -> Option<(Notices, Sender)> {
    let notify = plan.notify.clone()?;
    let (queue, received) = unbounded_channel();
    let link = link.map(|link| link.text());
    let sender =
        Sender { plan: plan.clone(), notify: notify.clone(), queue: received, done: Vec::new() };
    Some((Notices { plan: plan.clone(), notify, link, queue, ended: false }, sender))
}

impl Observer for Notices {
    fn turned(&mut self, records: &[Record], state: &RunState) {
        for record in records {
            match &record.event {
                Event::RunStarted { operator, .. } => {
                    let text = format!("started by {operator}");
                    self.push("started", "run", &text, json!({ "operator": operator }));
                }
                Event::QuestionAsked { step, .. } => self.waiting(step.as_str(), state, record),
                Event::StepFailed { step, error, .. } => {
                    let text = format!("step {step} failed: {}", error.message);
                    let facts = json!({ "step": step.as_str(), "error": error.message });
                    self.push("failed", &format!("{step}/{}", record.seq), &text, facts);
                }
                Event::RunFinished { .. } => self.ended = true,
                _ => {}
            }
        }
    }
}

impl Notices {
    fn waiting(&self, step: &str, state: &RunState, record: &Record) {
        let asked = state.questions().find(|(key, _)| key.as_str() == step);
        let Some((_, question)) = asked else { return };
        let run = self.plan.run.as_str();
        let who = match question.gate.as_ref().map(|gate| gate.approvers.as_slice()) {
            None | Some([]) => "a person".to_owned(),
            Some(names) => names.join(" or "),
        };
        let answers: Vec<String> =
            question.choices.iter().map(|choice| answer_command(run, Some(step), choice)).collect();
        let mut text = format!("waits for {who} at {step}: {}", question.question);
        for answer in &answers {
            let _ = write!(text, "\n  {answer}");
        }
        let facts = json!({ "step": step, "waits_for": who, "answers": answers });
        self.push("waiting", &format!("{step}/{}", record.seq), &text, facts);
    }

    /// The last one, from the report, if this process recorded the end of the run.
    pub(super) fn ended(&self, report: &Report) {
        if !self.ended {
            return;
        }
        let waterfall = &report.waterfall;
        let recovered = waterfall.to_what == WaterfallEnd::Recovered;
        let time = recovered.then_some(waterfall.total_ms);
        let point = report.recovery_point.proven_ms;
        let mut text = report.verdict.headline.clone();
        let figures = [("recovery time", time), ("recovery point", point)];
        for (name, ms) in figures {
            let value = ms.map_or_else(|| "not measured".to_owned(), human_ms);
            let _ = write!(text, "\n{name}: {value}");
        }
        let facts = json!({
            "outcome": report.verdict.outcome, "recovery_time_ms": time, "recovery_point_ms": point,
            "missed_objectives": report.verdict.missed_objectives,
        });
        self.push("finished", "run", &text, facts);
    }

    fn push(&self, on: &'static str, of: &str, text: &str, more: Json) {
        if !self.notify.on.iter().any(|wanted| wanted == on) {
            return;
        }
        let plan = &self.plan;
        let environment = &plan.environment;
        let simulated = if environment.simulated { "SIMULATED: " } else { "" };
        let name = match &plan.mode {
            RunMode::Drill { name, .. } => format!("drill {name}"),
            RunMode::Run => plan.title.clone(),
        };
        let mut whole = format!("{simulated}{name} in {}: {text}\n", environment.name);
        let _ = write!(
            whole,
            "\nrunbook: {}\nestate: {}\nenvironment: {} ({})\nrun: {}\ndrctl status {}",
            plan.title, plan.estate_name, environment.name, environment.account, plan.run, plan.run
        );
        if let Some(link) = &self.link {
            let _ = write!(whole, "\nthe same again: {link}");
        }
        let facts = json!({
            "schema_version": 1, "event": on, "run": plan.run.as_str(), "runbook": plan.title,
            "estate": plan.estate_name, "environment": environment.name,
            "simulated": environment.simulated, "detail": more,
        });
        let subject = format!("{simulated}{name} in {}: {on}", environment.name);
        let notice = Notice {
            on,
            of: format!("{on}/{of}"),
            subject: subject_of(&subject),
            text: redact(&whole),
            facts,
        };
        // Nobody listens any more when the process is about to end.
        let _ = self.queue.send(notice);
    }
}

/// As much of `text` as SNS takes for a subject.
fn subject_of(text: &str) -> String {
    let plain = text.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' });
    plain.take(SUBJECT).collect()
}

impl Sender {
    /// Sends what there is, until nobody makes notices any more.
    pub(super) async fn work(
        &mut self,
        open: impl AsyncFn(GuardPolicy) -> Result<Cloud, CloudError>,
    ) {
        let mut cloud = None;
        while let Some(notice) = self.queue.recv().await {
            if cloud.is_none() {
                cloud = Some(open(GuardPolicy::live([PUBLISH])).await);
            }
            let became = match &cloud {
                Some(Ok(cloud)) => self.send(cloud, &notice).await,
                Some(Err(error)) => Err(error.to_string()),
                None => continue,
            };
            if let Err(why) = &became {
                out::progress(&format!("notice `{}` was not sent: {why}", notice.on));
            }
            let (id, error) = (became.as_ref().ok(), became.as_ref().err());
            self.done.push(json!({
                "event": notice.on, "of": notice.of, "topic": self.notify.topic,
                "message_id": id, "error": error,
            }));
        }
    }

    async fn send(&self, cloud: &Cloud, notice: &Notice) -> Result<String, String> {
        let Some(writer) = cloud.writer() else {
            return Err("no session that can write".to_owned());
        };
        let attributes = BTreeMap::from([
            ("drctl_event".to_owned(), notice.on.to_owned()),
            ("drctl_run".to_owned(), self.plan.run.to_string()),
            ("drctl_simulated".to_owned(), self.plan.environment.simulated.to_string()),
        ]);
        let publication = Publication {
            topic: self.notify.topic.clone(),
            subject: Some(notice.subject.clone()),
            message: format!("{}\n\n{}", notice.text, notice.facts),
            attributes,
            token: format!("{}-{}", self.plan.run, Digest::of(notice.of.as_bytes()).short()),
        };
        let sent = writer.publish(&self.notify.region, &publication).await;
        sent.map(|sent| sent.message_id).map_err(|error| error.to_string())
    }

    /// Notes in the journal what became of them.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub(super) fn note(&self, store: &mut dyn Store, clock: &Clock) -> Result<(), JournalError> {
        for done in &self.done {
            let mut done = done.clone();
            done["noted_at"] = json!(format_instant(clock.now()));
            store.note(NOTICE, &done.to_string())?;
        }
        Ok(())
    }
}

/// Waits for the last ones, for a while: what makes them is gone.
pub(super) async fn last_ones(work: impl Future<Output = Sender>, clock: &Clock) -> Option<Sender> {
    tokio::select! {
        biased;
        sender = work => Some(sender),
        () = clock.sleep(LAST_ONES) => None,
    }
}
