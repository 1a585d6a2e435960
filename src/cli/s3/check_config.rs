//! `drctl s3 check-config`: whether a bucket is replicated, and whether its copies are safe.
//!
//! **Invariant:** changes nothing; what these credentials may not read is told as unknown, never as well.

use super::session::{Place, S3Session};
use super::{BucketName, SessionArgs};
use crate::action::s3::{
    Destination, Finding, Judgement, Measured, NoSuchBucket, Question, Severity, Subject, judge,
};
use crate::base::duration;
use crate::cli::args::{OutputForm, SimulationArgs};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::main::block_on;
use crate::cli::out;
use crate::cloud::Overlay;
use crate::cloud::model::{MeasuredFigure, ReplicationRule};
use clap::Args;
use serde_json::{Value as Json, json};
use std::fmt::Write as _;

/// `drctl s3 check-config`
#[derive(Debug, Args)]
#[command(
    after_help = "Without DESTINATION every bucket that the replication rules name is looked at. \
    Only reads are sent.\n\nExit codes: 0 nothing worse than --max-severity; 10 something is; 18 a part \
    that decides could not be read;\n2 no such bucket. Findings have ids that stay: S3-020.\n\n\
    Examples:\n  drctl s3 check-config s3://data s3://data-replica --profile dr\n  drctl s3 check-config \
    documents --env production --keep 90d --max-severity info"
)]
pub(in crate::cli) struct CheckConfigArgs {
    /// The bucket that is replicated: s3://bucket/prefix, or its key in the estate.
    #[arg(value_name = "SOURCE")]
    pub source: BucketName,
    /// The bucket that it should be copied to.
    #[arg(value_name = "DESTINATION")]
    pub destination: Option<BucketName>,
    #[command(flatten)]
    pub session: SessionArgs,
    /// How long old versions have to be kept on both sides.
    #[arg(long, value_name = "DURATION")]
    pub keep: Option<String>,
    /// The worst finding that leaves the exit code at 0.
    #[arg(long, value_name = "SEVERITY", default_value = "warning",
          value_parser = clap::builder::PossibleValuesParser::new(Severity::WORDS))]
    pub max_severity: String,
}

/// Looks, judges and shows.
///
/// # Errors
/// A bucket is not there or may not be looked at, or an option is wrong.
pub(super) fn run(
    tools: &Tools,
    args: &CheckConfigArgs,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let keep = args.keep.as_deref().map(|text| {
        duration::parse(text)
            .map_err(|why| CommandError::usage(format!("--keep `{text}` is no duration: {why}")))
    });
    let question = Question { keep: keep.transpose()?, ..Question::default() };
    let place = args.session.place(tools)?;
    block_on(place.time(), check(tools, place, args, question, output))
}

async fn check(
    tools: &Tools,
    place: Place,
    args: &CheckConfigArgs,
    question: Question,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let session = place.open(tools, &SimulationArgs::default()).await?;
    let looked = look(&session, args, question).await;
    let kept = session.close();
    let checked = looked?;
    kept?;
    match output {
        OutputForm::Text => out::result(&checked.text()),
        OutputForm::Json => out::result(&format!("{:#}", checked.as_json())),
    }
    let tolerated = Severity::of_word(&args.max_severity).unwrap_or(Severity::Warning);
    Ok(checked.exit(tolerated))
}

async fn look(
    session: &S3Session,
    args: &CheckConfigArgs,
    question: Question,
) -> Result<Checked, CommandError> {
    let source = session.named(&args.source);
    let destination = args.destination.as_ref().map(|place| session.named(place));
    if destination.as_ref().is_some_and(|place| place.bucket == source.bucket) {
        return Err(CommandError::usage(format!("`{}` is no copy of itself", source.bucket)));
    }
    let environment = session.cloud.environment();
    let allowed = environment.allowed_regions.iter().chain([&environment.region]);
    let question = Question {
        source: source.bucket,
        destination: destination.map(|place| place.bucket),
        prefix: source.prefix,
        // Without an estate nobody said where data may be.
        allowed_regions: allowed.filter(|_| session.estate.is_some()).cloned().collect(),
        ..question
    };
    let view = session.cloud.view(Overlay::default());
    match Subject::read(&view, question).await? {
        Ok(subject) => {
            let judgement = judge(&subject);
            Ok(Checked { subject, judgement, walls: session.cloud.walls() })
        }
        Err(NoSuchBucket(name)) => {
            let error = CommandError::usage(format!("there is no bucket `{name}`"));
            Err(error.help("check the name, and whose account it is in"))
        }
    }
}

/// What was looked at and found.
struct Checked {
    subject: Subject,
    judgement: Judgement,
    walls: Vec<String>,
}

impl Checked {
    /// A finding that is too bad fails; then, what decides and could not be read.
    fn exit(&self, tolerated: Severity) -> Exit {
        let Judgement { findings, replicating } = &self.judgement;
        if findings.iter().any(|found| found.rule.severity > tolerated) {
            return Exit::StepFailed;
        }
        if replicating.is_none() { Exit::Credentials } else { Exit::Ok }
    }

    fn answer(&self) -> &'static str {
        match self.judgement.replicating {
            Some(true) => "new objects are copied",
            Some(false) => "new objects are NOT copied",
            None => "whether new objects are copied is unknown",
        }
    }

    fn text(&self) -> String {
        let source = &self.subject.source;
        let mut text = format!("{} ({})\n", source.bucket, source.region);
        for rule in self.subject.rules() {
            let state = if rule.enabled { "on" } else { "OFF" };
            let _ = writeln!(text, "  {state:<8} {:<16} {}", rule.id, self.rule(rule));
            if let Some(figures) = self.figures(rule) {
                let _ = writeln!(text, "{:28}{figures}", "");
            }
        }
        for (name, found) in &self.subject.destinations {
            let place = match found {
                Destination::Settings(settings) => settings.region.clone(),
                Destination::Missing => "not there".to_owned(),
                Destination::Unseen(_) => "not seen".to_owned(),
            };
            let _ = writeln!(text, "{name} ({place})");
        }
        if !self.judgement.findings.is_empty() {
            text.push_str("findings\n");
        }
        for found in &self.judgement.findings {
            one(&mut text, found);
        }
        let count = |severity| self.judgement.count(severity);
        let _ = writeln!(
            text,
            "{}: {} errors, {} warnings, {} to know",
            self.answer(),
            count(Severity::Error),
            count(Severity::Warning),
            count(Severity::Info)
        );
        text
    }

    /// What a rule selects and does.
    fn rule(&self, rule: &ReplicationRule) -> String {
        let mut words = vec![match rule.prefix.as_str() {
            "" => format!("every key to {}", rule.destination),
            prefix => format!("{prefix} to {}", rule.destination),
        }];
        words.extend(rule.tags.iter().map(|(key, value)| format!("tag {key}={value}")));
        words.extend(rule.priority.map(|priority| format!("priority {priority}")));
        words.extend(rule.storage_class.iter().map(|class| format!("as {class}")));
        let kinds = [
            (rule.delete_markers, "delete markers"),
            (rule.existing_objects, "existing objects"),
            (rule.kms_objects, "objects of KMS"),
            (rule.owner_override, "owned by the destination"),
            (rule.time_control.is_some(), "time control"),
            (rule.metrics, "metrics"),
        ];
        words.extend(kinds.iter().filter(|(on, _)| *on).map(|(_, word)| (*word).to_owned()));
        words.join(", ")
    }

    /// What CloudWatch says of a rule that has metrics.
    fn figures(&self, rule: &ReplicationRule) -> Option<String> {
        let Some(Measured::Figures(figures)) = self.subject.figures.get(&rule.id) else {
            return None;
        };
        let told = |name: &str, figure: Option<MeasuredFigure>, unit: &str| {
            let value =
                figure.map_or_else(|| "unknown".to_owned(), |it| format!("{}{unit}", it.value));
            format!("{name}: {value}")
        };
        let all = [
            told("behind", figures.latency, " s"),
            told("waiting", figures.pending_operations, " operations"),
            told("in bytes", figures.pending_bytes, ""),
            told("failed in the last hour", figures.failed, ""),
        ];
        Some(all.join(", "))
    }

    fn as_json(&self) -> Json {
        let Self { subject, judgement, walls } = self;
        let finding = |found: &Finding| {
            json!({
                "id": found.rule.id,
                "severity": found.rule.severity.word(),
                "title": found.rule.title,
                "bucket": found.bucket,
                "what": found.what,
                "evidence": { "call": found.evidence.0, "said": found.evidence.1 },
                "remedy": found.remedy,
            })
        };
        let destination = |(name, found): (&String, &Destination)| match found {
            Destination::Settings(settings) => {
                json!({ "bucket": name, "state": "seen", "region": settings.region })
            }
            Destination::Missing => json!({ "bucket": name, "state": "missing" }),
            Destination::Unseen(why) => json!({ "bucket": name, "state": "unseen", "why": why }),
        };
        let rules = subject.rules().map(|rule| self.rule_json(rule));
        json!({
            "schema_version": 1,
            "source": { "bucket": subject.source.bucket, "region": subject.source.region,
                        "prefix": subject.question.prefix },
            "destinations": subject.destinations.iter().map(destination).collect::<Vec<_>>(),
            "rules": rules.collect::<Vec<_>>(),
            "replicating": judgement.replicating,
            "errors": judgement.count(Severity::Error),
            "warnings": judgement.count(Severity::Warning),
            "findings": judgement.findings.iter().map(finding).collect::<Vec<_>>(),
            "walls": walls,
        })
    }

    fn rule_json(&self, rule: &ReplicationRule) -> Json {
        let figure = |figure: Option<MeasuredFigure>| figure.map(|figure| figure.value);
        let figures = match self.subject.figures.get(&rule.id) {
            Some(Measured::Figures(figures)) => json!({
                "latency_s": figure(figures.latency),
                "pending_operations": figure(figures.pending_operations),
                "pending_bytes": figure(figures.pending_bytes),
                "failed_operations": figure(figures.failed),
            }),
            Some(Measured::Unseen(_)) | None => Json::Null,
        };
        json!({
            "id": rule.id,
            "enabled": rule.enabled,
            "priority": rule.priority,
            "prefix": rule.prefix,
            "tags": rule.tags,
            "destination": rule.destination,
            "storage_class": rule.storage_class,
            "delete_markers": rule.delete_markers,
            "existing_objects": rule.existing_objects,
            "kms_objects": rule.kms_objects,
            "replica_key": rule.replica_key,
            "account": rule.account,
            "owner_override": rule.owner_override,
            "time_control_minutes": rule.time_control,
            "metrics": rule.metrics,
            "figures": figures,
        })
    }
}

fn one(text: &mut String, found: &Finding) {
    let word = match found.rule.severity {
        Severity::Error => "ERROR",
        Severity::Warning | Severity::Info => found.rule.severity.word(),
    };
    let (call, said) = &found.evidence;
    let _ = writeln!(text, "  {word:<8} {:<8} {}", found.rule.id, found.what);
    let _ = writeln!(text, "{:20}read: {call}: {said}", "");
    let _ = writeln!(text, "{:20}help: {}", "", found.remedy);
}
