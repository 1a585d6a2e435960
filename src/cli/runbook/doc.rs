//! `drctl runbook doc`.
//!
//! **Invariant:** looks nothing up in AWS: what only a run finds out is a variable of the document.

use crate::base::value::Values;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::given::{given_parameters, objectives};
use crate::cli::launch::{Tools, environment};
use crate::cli::reports::FileArgs;
use crate::cli::runbook::graph::{Past, timed};
use crate::cli::runbook::read_runbook;
use crate::estate::Objectives;
use crate::plan::Durations;
use crate::runbook::doc::{DocRequest, html, markdown, procedure};
use crate::runbook::{Given, drawing};
use clap::{Args, ValueEnum};
use std::collections::BTreeMap;

/// `drctl runbook doc`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  drctl runbook doc restore-db                                     with variables for what varies
  drctl runbook doc restore-db --env production -p database=orders with the estate's real names
  drctl runbook doc restore-db --env production -p database=orders --format html -o orders.html

Print it, or keep it where it can be read when nothing else works.")]
pub(crate) struct DocArgs {
    /// Name of the runbook (runbooks/NAME.yaml) or path of a runbook file.
    pub name: String,
    /// Form of the document.
    #[arg(long, value_enum, default_value_t = DocForm::Markdown)]
    pub format: DocForm,
    /// Set a parameter of the runbook (repeatable); what is not set becomes a variable.
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// Fill in the names of this environment.
    #[arg(long, value_name = "NAME")]
    pub env: Option<String>,
    /// The estate of that environment; without it the project's only one, else the shipped `techcorp`.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true,
        env = "DRCTL_ESTATE"
    )]
    pub estate: String,
    #[command(flatten)]
    pub target: FileArgs,
}

/// Forms of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DocForm {
    /// Markdown.
    Markdown,
    /// One self-contained HTML file that prints well.
    Html,
}

/// Longest runbook whose graph stands in a Markdown document.
const STEPS_OF_A_GRAPH: usize = 40;

/// Runs the command.
///
/// # Errors
/// There is no such runbook, estate or environment; parameters do not fit; the file cannot be written.
pub(super) fn run(tools: &Tools, args: &DocArgs) -> Result<Exit, CommandError> {
    let runbook = read_runbook(tools, &args.name)?;
    let given = given_parameters(&BTreeMap::new(), &args.parameters)?;
    let estate = args.env.as_ref().map(|_| tools.estate(&args.estate)).transpose()?;
    let place = match (&estate, &args.env) {
        (Some(estate), Some(name)) => Some((estate, environment(estate, name)?)),
        _ => None,
    };
    let values: Values = given
        .iter()
        .filter_map(|(name, it)| match it {
            Given::Text(text) => Some((name.clone(), text.as_str().into())),
            Given::Typed(_) => None,
        })
        .collect();
    let promised = match place {
        Some((estate, _)) => objectives(Objectives::default(), &runbook, estate, &values),
        None => runbook.objectives,
    };
    let request = DocRequest { runbook: &runbook, given, place, objectives: promised };
    let document = procedure(&request, &tools.catalogue).map_err(|problems| {
        CommandError::usage(format!("{}:\n  {}", runbook.file, problems.join("\n  ")))
            .help("set parameters with `-p NAME=VALUE`")
    })?;
    let past = Past { durations: Durations::default(), simulated: false, from: None };
    let drawn = timed(tools, &runbook, &past);
    let text = match args.format {
        DocForm::Markdown => {
            let fits = drawn.nodes.len() <= STEPS_OF_A_GRAPH;
            let graph = fits.then(|| drawing::text(&drawn, 80));
            markdown(&document, graph.as_deref())
        }
        DocForm::Html => html(&document, &drawn),
    };
    args.target.write(&text)?;
    Ok(Exit::Ok)
}
