//! `drctl runbook lint`: the order of steps, their regions, and whether the way needs a region that is lost.
//!
//! **Invariant:** reads files and nothing else: what no file says is listed, and never taken for good.

use crate::base::diagnostic::{Problems, Shown, draw};
use crate::base::redact::redact;
use crate::cli::args::{EstateArg, OutputForm};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::given::given_parameters;
use crate::cli::launch::{Tools, environment};
use crate::cli::out;
use crate::cli::runbook::read_runbook;
use crate::cli::shared::lost_region;
use crate::cli::validate::problem_json;
use crate::runbook::loss::{Ground, MENTIONS, Survey, Way, survey};
use crate::runbook::{Runbook, is_region, known_parameters, lint_order, load_runbook_in};
use clap::Args;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// `drctl runbook lint`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  drctl runbook lint region-failover
  drctl runbook lint region-failover --estate techcorp --env production -p service=api
  drctl runbook lint region-failover --assume-lost us-east-1 --env production_west

With --assume-lost, or where the runbook says `assumes_lost`, exit code 0 means: nothing on the way needs
that region, as far as files say; what no file says is listed. The way is that of the ungraceful form.

Exit codes: 0 nothing found, 2 findings. `drctl explain CODE` says what a code means.")]
pub(crate) struct LintArgs {
    /// Name of the runbook (runbooks/NAME.yaml) or path of a runbook file.
    pub name: String,
    /// Prove that the way does not need this region, or name each step that does and the alternative.
    #[arg(long, value_name = "REGION")]
    pub assume_lost: Option<String>,
    #[command(flatten)]
    pub estate: EstateArg,
    /// The environment.
    #[arg(long, value_name = "NAME", default_value = "sim")]
    pub env: String,
    /// Set a parameter of the runbook (repeatable); one that is not given is unknown.
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
}

/// What was linted.
struct Linted {
    runbook: Runbook,
    problems: Problems,
    survey: Survey,
    lost: Option<String>,
    environment: String,
}

impl Linted {
    /// Whether there is nothing but what is only named.
    fn is_clean(&self) -> bool {
        let all = self.problems.sorted().into_iter();
        all.chain(self.survey.problems.sorted()).all(|found| MENTIONS.contains(&found.code))
    }

    fn on_the_way(&self) -> impl Iterator<Item = &Way> {
        self.survey.ways.iter().filter(|way| way.runs)
    }
}

/// Runs the command.
///
/// # Errors
/// There is no such runbook, estate or environment, or a parameter is wrong.
pub(super) fn run(
    tools: &Tools,
    args: &LintArgs,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let linted = lint(tools, args)?;
    match output {
        OutputForm::Text => out::result(&as_text(&linted)),
        OutputForm::Json => out::result(&as_json(&linted)),
    }
    Ok(if linted.is_clean() { Exit::Ok } else { Exit::Usage })
}

fn lint(tools: &Tools, args: &LintArgs) -> Result<Linted, CommandError> {
    let runbook = read_runbook(tools, &args.name)?;
    let (_, mut problems) =
        load_runbook_in(&runbook.file, &runbook.text, &tools.catalogue, &tools.project)?;
    problems.append(lint_order(&runbook, &tools.catalogue));
    let estate = tools.estate(&args.estate.name)?;
    let environment = environment(&estate, &args.env)?;
    let given = given_parameters(&BTreeMap::new(), &args.parameters)?;
    let parameters = known_parameters(&runbook, &given)
        .map_err(|wrong| CommandError::usage(wrong.join("\n")))?;
    if let Some(region) = args.assume_lost.as_ref().filter(|region| !is_region(region)) {
        return Err(CommandError::usage(format!("--assume-lost {region}: that is no region"))
            .help("write for example us-east-1"));
    }
    let lost = match &args.assume_lost {
        Some(region) => Some(region.clone()),
        None => lost_region(&runbook, &parameters)?,
    };
    let journal = tools.journals.home();
    let ground = Ground {
        runbook: &runbook,
        actions: &tools.catalogue,
        estate: &estate,
        environment,
        parameters: &parameters,
        journal: journal.as_ref(),
    };
    let survey = survey(ground, lost.as_deref());
    let environment = format!("{} of {}", environment.name, estate.name);
    Ok(Linted { runbook, problems, survey, lost, environment })
}

fn as_text(linted: &Linted) -> String {
    let Linted { runbook, problems, survey, lost, environment } = linted;
    let mut text = redact(&draw(problems, Shown::default()));
    text.push_str(&redact(&draw(&survey.problems, Shown::default())));
    let count = linted.on_the_way().count();
    let aside = survey.ways.len() - count;
    let file = &runbook.file;
    let verdict = match (linted.is_clean(), lost) {
        (true, Some(lost)) => format!(
            "{file}: no step of the way needs {lost}, in {environment}: {count} steps looked at, {aside} \
             not on the way"
        ),
        (true, None) => format!("{file}: nothing found, in {environment}: {count} steps looked at"),
        (false, Some(lost)) => {
            let found = problems.sorted().len() + survey.problems.sorted().len();
            format!("{file}: not proven without {lost}, in {environment}: {found} findings")
        }
        (false, None) => {
            let found = problems.sorted().len() + survey.problems.sorted().len();
            format!("{file}: {found} findings, in {environment}")
        }
    };
    let _ = writeln!(text, "{verdict}");
    for unseen in &survey.unseen {
        let _ = writeln!(text, "not looked at: {unseen}");
    }
    text.trim_end().to_owned()
}

fn as_json(linted: &Linted) -> String {
    let Linted { runbook, problems, survey, lost, .. } = linted;
    let list = |problems: &Problems| -> Vec<_> {
        problems.sorted().into_iter().map(|it| problem_json(problems, it)).collect()
    };
    let mut found = list(problems);
    found.extend(list(&survey.problems));
    let steps: Vec<_> = survey
        .ways
        .iter()
        .map(|way| {
            json!({
                "step": way.key, "uses": way.uses, "region": way.region, "on_the_way": way.runs,
            })
        })
        .collect();
    let document = json!({
        "schema_version": 1, "file": runbook.file, "assumed_lost": lost,
        "clean": linted.is_clean(), "findings": found, "steps": steps,
        "not_looked_at": survey.unseen,
    });
    serde_json::to_string_pretty(&document).expect("plain data")
}
