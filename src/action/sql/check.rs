//! `sql.check`: does a database answer, and is the data there?
//!
//! **Invariant:** everything asked is asked, and every wrong answer is named; the first one does not hide
//! the rest.

use super::connect::{CALLS, CITED, Opened, connection_inputs, open, preview};
use super::expectation::Expectation;
use super::pack::{Item, NAMES, PACK, WRITE_PROBE};
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::digest::Digest;
use crate::base::value::{Type, Value, Values};
use crate::cloud::{EffectError, SQL_READ, SQL_WRITE, SqlError, SqlMode, SqlSession};
use async_trait::async_trait;
use std::time::Duration;

/// The action.
#[derive(Debug)]
pub(crate) struct SqlCheck {
    spec: ActionSpec,
}

impl Default for SqlCheck {
    fn default() -> Self {
        let mut inputs = connection_inputs();
        inputs.extend([
            Field::optional(
                "pack",
                Type::List(Box::new(Type::OneOf(NAMES))),
                "built-in questions; reachable and primary when absent",
            ),
            Field::optional("extensions", Type::texts(), "extensions that must be installed"),
            Field::optional(
                "rows",
                Expectation::rows_type(),
                "row counts: table (one or a list), at_least, at_most, equals, within_percent of compare_to",
            ),
            Field::optional(
                "queries",
                Expectation::queries_type(),
                "own questions: name, sql, equals, at_least, at_most",
            ),
            Field::optional(
                "compare_to",
                Type::String,
                "instance whose row counts `within_percent` compares with",
            ),
        ]);
        let spec = ActionSpec {
            name: "sql.check",
            summary: "Asks a PostgreSQL database whether it answers, takes writes, and has its data.",
            kind: ActionKind::Check,
            inputs,
            outputs: vec![Field::required(
                "passed",
                Type::Int,
                "questions that were answered as expected",
            )],
            calls: CALLS,
            effects: &[SQL_READ, SQL_WRITE],
            reversibility: Reversibility::ReadOnly,
            role: Role::None,
            by_hand: "# Ask the database itself, with the password in its secret.\n\
                      aws rds describe-db-instances --region {region} \
                      --db-instance-identifier {instance} --query DBInstances[0].Endpoint\n\
                      psql --host ENDPOINT --username {user} --dbname {database} \
                      --command 'select pg_is_in_recovery()'",
            default_timeout: Duration::from_secs(900),
            poll_every: Duration::from_secs(15),
        };
        Self { spec }
    }
}

/// What is asked, from the inputs.
struct Questions {
    pack: Vec<&'static Item>,
    write_probe: Option<()>,
    extensions: Vec<String>,
    expectations: Vec<Expectation>,
}

impl Questions {
    fn of(scope: &StepScope<'_>) -> Result<Self, ActionError> {
        let chosen = scope
            .texts("pack")
            .unwrap_or_else(|| vec!["reachable".to_owned(), "primary".to_owned()]);
        let bad = |name: &str, why: String| ActionError::Input { name: name.to_owned(), why };
        let mut expectations = Vec::new();
        for (name, read) in [
            ("rows", Expectation::rows as fn(&Value) -> Result<Vec<Expectation>, String>),
            ("queries", Expectation::query),
        ] {
            if let Value::List(entries) = scope.input(name) {
                for entry in entries {
                    expectations.extend(read(entry).map_err(|why| bad(name, why))?);
                }
            }
        }
        let compares = expectations.iter().any(|expectation| expectation.within_percent.is_some());
        if compares && scope.text("compare_to").is_none() {
            return Err(bad("rows", "`within_percent` needs the input `compare_to`".to_owned()));
        }
        Ok(Self {
            pack: PACK.iter().filter(|item| chosen.iter().any(|name| name == item.name)).collect(),
            write_probe: chosen.iter().any(|name| name == "write_probe").then_some(()),
            extensions: scope.texts("extensions").unwrap_or_default(),
            expectations,
        })
    }
}

/// Answers so far.
#[derive(Default)]
struct Answers {
    passed: i64,
    wrong: Vec<String>,
    notes: Vec<String>,
    evidence: Vec<(String, String, String)>,
}

impl Answers {
    fn record(&mut self, source: &str, name: &str, value: &str, wrong: Option<String>) {
        // Numbers and single letters tell nothing about a person; any other text is only hashed.
        let plain =
            value.len() <= 20 && value.chars().all(|c| c.is_ascii_digit() || ".-tf".contains(c));
        let shown = if plain { value.to_owned() } else { Digest::of(value.as_bytes()).to_string() };
        self.evidence.push((name.to_owned(), shown, source.to_owned()));
        match wrong {
            None => self.passed += 1,
            Some(why) => self.wrong.push(why),
        }
    }
}

/// The one value of a statement; an SQL error of the statement itself is a wrong answer, everything
/// else is an error.
pub(super) async fn ask(
    session: &mut dyn SqlSession,
    statement: &str,
) -> Result<Result<String, String>, ActionError> {
    match session.query(statement).await {
        Ok(rows) => match rows.rows.first().and_then(|row| row.first()) {
            Some(Some(value)) => Ok(Ok(value.clone())),
            Some(None) => Ok(Ok(String::new())),
            None => Ok(Err("the statement answered no row".to_owned())),
        },
        Err(SqlError::Statement { sqlstate, message, .. }) => {
            Ok(Err(format!("{message} (SQLSTATE {sqlstate})")))
        }
        Err(error) => Err(EffectError::Sql(error).into()),
    }
}

async fn ask_all(opened: &mut Opened, questions: &Questions) -> Result<Answers, ActionError> {
    let mut answers = Answers::default();
    let source = opened.source.clone();
    for item in &questions.pack {
        let (value, wrong) = match ask(&mut *opened.session, item.statement).await? {
            Ok(value) => {
                let wrong = item.passes.filter(|wanted| *wanted != value);
                let text =
                    wrong.map(|_| format!("{}: {} (answer `{value}`)", item.name, item.meaning));
                (value, text)
            }
            Err(why) => (String::new(), Some(format!("{}: {}: {why}", item.name, item.meaning))),
        };
        answers.record(&source, &format!("pack.{}", item.name), &value, wrong);
    }
    if !questions.extensions.is_empty() {
        check_extensions(opened, questions, &mut answers).await?;
    }
    for expectation in &questions.expectations {
        let (value, wrong) = match ask(&mut *opened.session, &expectation.statement).await? {
            Ok(value) => {
                let wrong = expectation.judge(&value);
                (value, wrong)
            }
            Err(why) => (String::new(), Some(format!("{}: {why}", expectation.name))),
        };
        answers.record(&source, &expectation.name, &value, wrong);
    }
    Ok(answers)
}

async fn check_extensions(
    opened: &mut Opened,
    questions: &Questions,
    answers: &mut Answers,
) -> Result<(), ActionError> {
    let rows = match opened.session.query("SELECT extname FROM pg_extension ORDER BY extname").await
    {
        Ok(rows) => rows.rows,
        Err(error) => return Err(EffectError::Sql(error).into()),
    };
    let installed: Vec<String> =
        rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect();
    for wanted in &questions.extensions {
        let missing = !installed.contains(wanted);
        let why = missing.then(|| format!("extension `{wanted}` is not installed"));
        answers.record(
            &opened.source,
            &format!("extension.{wanted}"),
            if missing { "f" } else { "t" },
            why,
        );
    }
    Ok(())
}

impl SqlCheck {
    async fn compare(
        &self,
        context: &ReadContext<'_>,
        questions: &Questions,
        answers: &mut Answers,
    ) -> Result<(), ActionError> {
        let Some(other) = context.scope.text("compare_to") else { return Ok(()) };
        let mut opened = open(context, other, SqlMode::ReadOnly).await?;
        for expectation in questions.expectations.iter().filter(|e| e.within_percent.is_some()) {
            let here = answers.evidence.iter().find(|(name, _, _)| *name == expectation.name);
            let here = here.map(|(_, value, _)| value.clone()).unwrap_or_default();
            if here.is_empty() {
                // The question itself was answered by an error, which has been named already.
                continue;
            }
            let (there, wrong) = match ask(&mut *opened.session, &expectation.statement).await? {
                Ok(there) => {
                    let wrong = expectation.compare(&here, &there);
                    (there, wrong)
                }
                Err(why) => {
                    (String::new(), Some(format!("{} on `{other}`: {why}", expectation.name)))
                }
            };
            answers.record(&opened.source, &format!("{}.source", expectation.name), &there, wrong);
        }
        opened.session.close().await;
        Ok(())
    }

    /// Writes into a temporary table; the instance must be this run's own.
    async fn probe_writes(
        &self,
        context: &ReadContext<'_>,
        answers: &mut Answers,
    ) -> Result<(), ActionError> {
        let scope = &context.scope;
        let name = scope.text("instance").unwrap_or_default();
        let owned = context.view.db_instance(scope.region, name).await?;
        let owned = owned.is_some_and(|found| {
            found.tags.get("drctl:run").map(String::as_str) == Some(scope.run.as_str())
        });
        if !owned {
            return Err(ActionError::refused(
                format!("`write_probe` writes, and `{name}` was not created by this run"),
                "leave `write_probe` out for instances that drctl did not create",
            ));
        }
        let mut opened = open(context, name, SqlMode::ReadWrite).await?;
        let mut wrong = None;
        for statement in WRITE_PROBE {
            if let Err(error) = opened.session.query(statement).await {
                wrong = Some(format!("write_probe: {error}"));
                break;
            }
        }
        let answer = if wrong.is_none() { "t" } else { "f" };
        answers.record(&opened.source, "pack.write_probe", answer, wrong);
        opened.session.close().await;
        Ok(())
    }
}

#[async_trait]
impl Action for SqlCheck {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        Some(CITED)
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let questions = Questions::of(&context.scope)?;
        let count =
            questions.pack.len() + questions.extensions.len() + questions.expectations.len();
        let mut shared = preview(context, &format!("ask {count} questions")).await?;
        shared
            .details
            .extend(questions.expectations.iter().map(|e| format!("{}: {}", e.name, e.statement)));
        shared.outputs =
            Values::from([("passed".to_owned(), Value::Unknown("no SQL in a dry run".to_owned()))]);
        Ok(shared)
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let questions = Questions::of(scope)?;
        let mut opened =
            open(context, scope.text("instance").unwrap_or_default(), SqlMode::ReadOnly).await?;
        let note = opened.note.take();
        let mut answers = ask_all(&mut opened, &questions).await?;
        opened.session.close().await;
        answers.notes.extend(note);
        self.compare(context, &questions, &mut answers).await?;
        if questions.write_probe.is_some() {
            self.probe_writes(context, &mut answers).await?;
        }
        let verdict = match (answers.wrong.is_empty(), answers.notes.is_empty()) {
            (true, true) => Verdict::Pass,
            (true, false) => Verdict::Warn(answers.notes),
            (false, _) => Verdict::Fail {
                why: answers.wrong.join("; "),
                help: "the restored data is not what was expected: do not rely on this backup before it is understood".to_owned(),
            },
        };
        let outputs = Values::from([("passed".to_owned(), Value::Int(answers.passed))]);
        Ok(Observation::Done(Done {
            outputs,
            verdict,
            evidence: answers.evidence,
            ..Done::default()
        }))
    }

    async fn act(&self, _: &WriteContext<'_>) -> Result<Acted, ActionError> {
        Err(ActionError::refused("sql.check only reads", "this is a bug in drctl"))
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (self.spec.name.to_owned(), scope.text("instance").unwrap_or_default().to_owned())
    }
}
