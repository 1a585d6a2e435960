//! `shell.run`: starts a program and judges its exit code.
//!
//! **Invariant:** the program sees no credentials and no variables that the step does not name, and what
//! it prints leaves its digest; its text only when the step asks for it.

use crate::action::Action;
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::base::duration;
use crate::base::redact::redact;
use crate::base::secret::Secret;
use crate::base::value::{Type, Value, Values};
use crate::cloud::process::{Command, Finished, ProcessError, Rehearsal};
use crate::cloud::{EffectError, Effects, PROCESS_RUN, VARIABLE_READ};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Longest time of a program when the step says nothing.
const TIMEOUT: Duration = Duration::from_secs(300);
/// How much of the last words a failure quotes, in characters.
const MAX_QUOTE: usize = 240;
/// Variables that the AWS SDKs take credentials, and the way to them, from.
const CREDENTIALS: [&str; 12] = [
    "AWS_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];
/// What keeps AWS's tools from finding credentials by themselves, in files and in the machine's role.
const NO_CREDENTIALS: [(&str, &str); 3] = [
    ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ("AWS_CONFIG_FILE", "/dev/null"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
];
/// Characters that mean something to a shell and nothing to a program.
const SHELLISH: [char; 9] = ['|', '&', ';', '<', '>', '$', '`', '\n', '\t'];

/// The action.
#[derive(Debug)]
pub(crate) struct ShellRun {
    spec: ActionSpec,
}

impl Default for ShellRun {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "shell.run",
            summary: "Starts a program of this machine and checks its exit code.",
            kind: ActionKind::Command,
            inputs: inputs(),
            outputs: vec![
                Field::optional("exit_code", Type::Int, "exit code; null when it is not known"),
                Field::optional("stdout", Type::String, "what it printed, when `capture` is set"),
                Field::optional("stdout_sha256", Type::String, "digest of all that it printed"),
            ],
            calls: &[],
            effects: &[PROCESS_RUN, VARIABLE_READ],
            reversibility: Reversibility::Irreversible,
            role: Role::None,
            by_hand: "{command}",
            default_timeout: Duration::from_secs(3600),
            poll_every: Duration::from_secs(5),
        };
        Self { spec }
    }
}

fn inputs() -> Vec<Field> {
    let rehearsal = BTreeMap::from([
        ("exit_code".to_owned(), Type::Int.or_null()),
        ("stdout".to_owned(), Type::String.or_null()),
    ]);
    vec![
        Field::required("command", Type::texts(), "the program and its arguments, one by one"),
        Field::optional(
            "cwd",
            Type::String,
            "where it runs, inside the project, which it is when absent",
        ),
        Field::optional("env", Type::texts(), "variables that it gets from where drctl runs"),
        Field::optional(
            "variables",
            Type::Map(Box::new(Type::String)),
            "variables that it gets, with their values",
        ),
        Field::optional(
            "pass_credentials",
            Type::Bool,
            "whether it gets drctl's AWS credentials; it does not when absent",
        ),
        Field::optional("time_out", Type::Duration, "longest time that it may run; 5m when absent"),
        Field::optional(
            "exit_codes",
            Type::List(Box::new(Type::Int)),
            "exit codes that pass; 0 when absent",
        ),
        Field::optional("capture", Type::Bool, "whether `stdout` is kept, at most 64 KiB of it"),
        Field::optional(
            "simulated",
            Type::Record(rehearsal),
            "what it is said to do in a simulated environment, where nothing is started",
        ),
    ]
}

fn bad(name: &str, why: impl Into<String>) -> ActionError {
    ActionError::Input { name: name.to_owned(), why: why.into() }
}

/// The words, when they are words.
fn words(scope: &StepScope<'_>) -> Result<Vec<String>, ActionError> {
    let words = scope.texts("command").unwrap_or_default();
    let Some(program) = words.first() else {
        return Err(bad("command", "it names no program"));
    };
    let looks_like_a_line = program.contains(SHELLISH) || program.split_whitespace().count() > 1;
    if program.trim().is_empty() || (words.len() == 1 && looks_like_a_line) {
        let parts: Vec<String> = program.split_whitespace().map(|w| format!("`{w}`")).collect();
        let why = format!(
            "it looks like a line for a shell, and there is none: give the program and each argument \
             as an item of its own ({}), and put what needs a shell into a script of the project",
            parts.join(", ")
        );
        return Err(bad("command", why));
    }
    if words.iter().any(|word| word.contains('\0')) {
        return Err(bad("command", "a word cannot contain a NUL byte"));
    }
    Ok(words)
}

/// Names of variables that are passed on.
fn passed(scope: &StepScope<'_>) -> Result<Vec<String>, ActionError> {
    let names = scope.texts("env").unwrap_or_default();
    let credentials = scope.boolean("pass_credentials").unwrap_or(false);
    for name in &names {
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(bad("env", format!("`{name}` is no name of a variable")));
        }
        if name.starts_with("AWS_") && !credentials {
            let why = format!("`{name}` may hold credentials: say `pass_credentials: true`");
            return Err(bad("env", why));
        }
    }
    Ok(names)
}

/// The command without its variables.
fn command(scope: &StepScope<'_>) -> Result<Command, ActionError> {
    let words = words(scope)?;
    passed(scope)?;
    let timeout = scope.duration("time_out").unwrap_or(TIMEOUT);
    if timeout.is_zero() {
        return Err(bad("time_out", "it must be longer than nothing"));
    }
    let directory = scope.text("cwd").map(PathBuf::from);
    if directory.as_ref().is_some_and(|path| path.is_absolute()) {
        return Err(bad("cwd", "it is relative to the project"));
    }
    Ok(Command { words, directory, variables: Vec::new(), timeout, rehearsal: rehearsal(scope)? })
}

fn rehearsal(scope: &StepScope<'_>) -> Result<Option<Rehearsal>, ActionError> {
    let Value::Map(given) = scope.input("simulated") else { return Ok(None) };
    let exit_code = match given.get("exit_code") {
        Some(Value::Int(code)) => i32::try_from(*code)
            .ok()
            .filter(|code| (0..=255).contains(code))
            .ok_or_else(|| bad("simulated", format!("exit codes are 0 to 255, found {code}")))?,
        _ => 0,
    };
    let stdout = given.get("stdout").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Some(Rehearsal { exit_code, stdout }))
}

/// Everything that the program sees beside what every program needs.
fn variables(
    scope: &StepScope<'_>,
    effects: &Effects,
) -> Result<Vec<(String, Secret)>, ActionError> {
    let mut found: BTreeMap<String, Secret> = BTreeMap::new();
    let credentials = scope.boolean("pass_credentials").unwrap_or(false);
    if credentials {
        for name in CREDENTIALS.iter().filter(|name| effects.has_variable(name)) {
            found.insert((*name).to_owned(), effects.variable(name)?);
        }
    } else {
        let nothing = NO_CREDENTIALS.iter();
        found.extend(nothing.map(|(name, value)| ((*name).to_owned(), Secret::from(*value))));
    }
    for name in passed(scope)? {
        let value = effects.variable(&name)?;
        found.insert(name, value);
    }
    if let Value::Map(given) = scope.input("variables") {
        for (name, value) in given {
            let taken = name.starts_with("AWS_") && !credentials;
            if name.is_empty() || name.contains(['=', '\0']) || taken {
                return Err(bad("variables", format!("`{name}` cannot be set")));
            }
            found.insert(name.clone(), value.to_string().into());
        }
    }
    Ok(found.into_iter().collect())
}

/// The exit codes that pass.
fn accepted(scope: &StepScope<'_>) -> Vec<i64> {
    let Value::List(codes) = scope.input("exit_codes") else { return vec![0] };
    codes
        .iter()
        .filter_map(|code| if let Value::Int(code) = code { Some(*code) } else { None })
        .collect()
}

/// The end of what it said, ready to follow a sentence.
fn last_words(finished: &Finished) -> String {
    let spoke = |text: &str| !text.trim().is_empty();
    let text = if spoke(&finished.stderr.shown) { &finished.stderr } else { &finished.stdout };
    let line = text.shown.split_whitespace().collect::<Vec<_>>().join(" ");
    let surplus = line.chars().count().saturating_sub(MAX_QUOTE);
    let quote: String = line.chars().skip(surplus).collect();
    if quote.is_empty() { quote } else { format!("; it said: {quote}") }
}

fn done(scope: &StepScope<'_>, finished: &Finished) -> Done {
    let program = scope.texts("command").and_then(|words| words.into_iter().next());
    let program = program.unwrap_or_default();
    let capture = scope.boolean("capture").unwrap_or(false);
    let shown = capture.then(|| finished.stdout.shown.clone());
    let outputs = Values::from([
        ("exit_code".to_owned(), Value::Int(finished.exit_code.into())),
        ("stdout".to_owned(), Value::optional(shown)),
        ("stdout_sha256".to_owned(), Value::text(finished.stdout.digest.as_str())),
    ]);
    let rehearsed = scope.input("simulated") != &Value::Null;
    let source = match (finished.started, rehearsed) {
        (true, _) => format!("`{program}`"),
        (false, _) => format!("`{program}`, not run: simulated"),
    };
    let fact = |name: &str, value: String| (name.to_owned(), value, source.clone());
    let evidence = vec![
        fact("shell.exit_code", finished.exit_code.to_string()),
        fact("shell.took", duration::human(finished.took)),
        fact("shell.stdout_sha256", finished.stdout.digest.to_string()),
        fact("shell.stderr_sha256", finished.stderr.digest.to_string()),
    ];
    let passes = accepted(scope).contains(&i64::from(finished.exit_code));
    let verdict = match (passes, finished.started || rehearsed) {
        (true, true) => Verdict::Pass,
        (true, false) => Verdict::Warn(vec!["not run: simulated".to_owned()]),
        (false, _) => Verdict::Fail {
            why: format!(
                "`{program}` ended with exit code {}{}",
                finished.exit_code,
                last_words(finished)
            ),
            help: "run it by hand in the project; `exit_codes` names those that pass".to_owned(),
        },
    };
    Done { outputs, verdict, evidence, ..Done::default() }
}

#[async_trait]
impl Action for ShellRun {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let unknown = self.spec.unknown_outputs("no program is started in a dry run");
        let mut preview = Preview {
            summary: self.spec.summary.to_owned(),
            outputs: unknown,
            ..Preview::default()
        };
        if scope.environment.is_simulated() {
            preview.details.push("not started: the environment is simulated".to_owned());
        }
        if let Some(why) = scope.unknown() {
            preview.details.push(format!("not all of it is known yet: {why}"));
            return Ok(preview);
        }
        let command = command(scope)?;
        let place = scope.text("cwd").unwrap_or(".");
        preview.summary = format!("start `{}` in {place}", redact(&command.to_string()));
        let limit = duration::human(command.timeout);
        preview.details.push(format!("ended with all that it started after {limit}"));
        if scope.boolean("pass_credentials").unwrap_or(false) {
            preview.warnings.push("it gets drctl's AWS credentials".to_owned());
        }
        for name in passed(scope)? {
            if !context.effects.has_variable(&name) {
                preview.wont = Some(format!("the variable `{name}` is not set where drctl runs"));
            }
        }
        let shells = ["sh", "bash", "zsh", "dash", "ksh"];
        let program = command.words[0].rsplit('/').next().unwrap_or_default();
        if shells.contains(&program) && command.words.iter().any(|word| word == "-c") {
            let why = "it hands a text to a shell: what stands in it is not quoted for you";
            preview.warnings.push(why.to_owned());
        }
        Ok(preview)
    }

    async fn observe(&self, _: &ReadContext<'_>) -> Result<Observation, ActionError> {
        Ok(Observation::Absent)
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let (scope, effects) = (&context.read.scope, context.read.effects);
        let mut command = command(scope)?;
        command.variables = variables(scope, effects)?;
        let done = match effects.process(&command).await {
            Ok(finished) => done(scope, &finished),
            // It ran, and it did not end by itself: that is its answer.
            Err(EffectError::Process(error @ ProcessError::TimedOut { .. })) => Done {
                outputs: Values::from([
                    ("exit_code".to_owned(), Value::Null),
                    ("stdout".to_owned(), Value::Null),
                    ("stdout_sha256".to_owned(), Value::Null),
                ]),
                verdict: Verdict::Fail {
                    why: error.to_string(),
                    help: "it may have done a part of its work; raise `time_out` if it only needs \
                           longer"
                        .to_owned(),
                },
                ..Done::default()
            },
            Err(EffectError::Process(error @ ProcessError::NotStarted { .. })) => {
                return Err(ActionError::refused(
                    error.to_string(),
                    "check `command` and `cwd`; a path is seen from where the program runs",
                ));
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Acted { request_id: None, done: Some(done) })
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        let words = scope.texts("command").unwrap_or_default();
        (self.spec.name.to_owned(), redact(&words.join(" ")))
    }
}
