//! `drctl runbook graph`.
//!
//! **Invariant:** the critical path is the planner's; every figure says where it comes from, and
//! simulated and real ones are never in one drawing.

use crate::base::duration::human;
use crate::base::ids::StepKey;
use crate::cli::args::OutputForm;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::{Tools, environment};
use crate::cli::past::durations;
use crate::cli::plan_view::estimate_text;
use crate::cli::reports::FileArgs;
use crate::cli::runbook::read_runbook;
use crate::plan::model::Estimate;
use crate::plan::{Durations, Link, critical_path, estimate, recovery_time, waits_for_people};
use crate::runbook::Runbook;
use crate::runbook::drawing::{self, Drawing, MAX_STEPS_AS_SVG, MAX_STEPS_AS_TEXT};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// `drctl runbook graph`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  drctl runbook graph restore-db                              for a terminal
  drctl runbook graph restore-db --env production             with figures of earlier runs there
  drctl runbook graph restore-db --format svg -o graph.svg    one file that needs nothing else
  drctl runbook graph restore-db --format dot | dot -Tpdf -o graph.pdf

Text and SVG leave out edges that others imply; DOT and Mermaid have every `needs`.")]
pub(crate) struct GraphArgs {
    /// Name of the runbook (runbooks/NAME.yaml) or path of a runbook file.
    pub name: String,
    /// Form of the graph.
    #[arg(long, value_enum, default_value_t = GraphForm::Text)]
    pub format: GraphForm,
    /// Take durations from earlier runs in this environment; without it, only cited ranges are used.
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

/// Forms of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphForm {
    /// For a terminal of 80 columns.
    Text,
    /// For Graphviz.
    Dot,
    /// For Mermaid, which wikis and code hosts draw.
    Mermaid,
    /// A picture: one file, readable in light and dark.
    Svg,
}

/// Columns of the text form.
const COLUMNS: usize = 80;

/// Runs the command.
///
/// # Errors
/// There is no such runbook, estate or environment; the runbook is too long for the form; the file
/// cannot be written.
pub(super) fn run(
    tools: &Tools,
    args: &GraphArgs,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let runbook = read_runbook(tools, &args.name)?;
    let past = match &args.env {
        None => Past { durations: Durations::default(), simulated: false, from: None },
        Some(name) => {
            let estate = tools.estate(&args.estate)?;
            let environment = environment(&estate, name)?;
            Past {
                durations: durations(&tools.state, environment),
                simulated: environment.is_simulated(),
                from: Some(name),
            }
        }
    };
    let drawing = timed(tools, &runbook, &past);
    let text = match (args.format, output) {
        (GraphForm::Text, OutputForm::Json) => as_json(&drawing),
        (GraphForm::Text, OutputForm::Text) => {
            check_length(&drawing, MAX_STEPS_AS_TEXT)?;
            drawing::text(&drawing, COLUMNS)
        }
        (GraphForm::Dot, _) => drawing::dot(&drawing),
        (GraphForm::Mermaid, _) => drawing::mermaid(&drawing),
        (GraphForm::Svg, _) => {
            check_length(&drawing, MAX_STEPS_AS_SVG)?;
            drawing::svg(&drawing)
        }
    };
    args.target.write(&text)?;
    Ok(Exit::Ok)
}

fn check_length(drawing: &Drawing, most: usize) -> Result<(), CommandError> {
    let count = drawing.nodes.len();
    if count <= most {
        return Ok(());
    }
    let message = format!("{count} steps are too many for this form; it draws {most}");
    Err(CommandError::usage(message).help("use `--format dot` and a program for large graphs"))
}

/// What earlier runs say.
pub(super) struct Past<'a> {
    pub(super) durations: Durations,
    pub(super) simulated: bool,
    /// The environment that they ran in.
    pub(super) from: Option<&'a str>,
}

/// The drawing with figures and the critical path.
pub(super) fn timed(tools: &Tools, runbook: &Runbook, past: &Past<'_>) -> Drawing {
    let steps: Vec<(StepKey, Vec<StepKey>, Estimate)> = runbook
        .steps
        .iter()
        .map(|step| {
            let key = StepKey::new(&step.id);
            let needs = step.needs.iter().map(|id| StepKey::new(id)).collect();
            let known = tools.catalogue.get(&step.uses).map(|action| {
                let cited = action.cited_duration();
                estimate(&past.durations, &key, action.spec(), cited, past.simulated)
            });
            let none = || Estimate::Unknown { why: "there is no such action".to_owned() };
            (key, needs, known.unwrap_or_else(none))
        })
        .collect();
    let asks = |uses: &str| tools.catalogue.spec(uses).is_some_and(|spec| spec.waits_for_person());
    let links: Vec<Link<'_>> = steps
        .iter()
        .zip(&runbook.steps)
        .map(|((key, needs, estimate), step)| Link {
            key,
            needs,
            estimate,
            person: asks(&step.uses),
        })
        .collect();
    let path: Vec<String> = critical_path(&links).iter().map(|key| key.id().to_owned()).collect();
    let figures: BTreeMap<String, String> = steps
        .iter()
        .map(|(key, _, estimate)| (key.id().to_owned(), figure(estimate, past.simulated)))
        .collect();
    let mut drawing = Drawing::of(runbook, &tools.catalogue);
    drawing.mark(&path, &figures);
    drawing.notes.push(format!("critical path: {}", path.join(" -> ")));
    let recovered = &runbook.measure.recovered;
    if !recovered.is_empty() {
        let keys: Vec<StepKey> = recovered.iter().map(|id| StepKey::new(id)).collect();
        let time = recovery_time(&links, &keys);
        let words = estimate_text(&time, past.simulated);
        drawing.notes.push(format!("until {}, recovered: {words}", recovered.join(" and ")));
        let gates = waits_for_people(&links, &keys);
        if !gates.is_empty() {
            let gates = gates.iter().map(StepKey::as_str).collect::<Vec<_>>().join(", ");
            drawing.notes.push(format!("plus waiting for people: {gates}"));
        }
    }
    drawing.notes.push(source(past));
    drawing
}

/// A step's figure in a few words; where figures come from is said below the drawing.
fn figure(estimate: &Estimate, simulated: bool) -> String {
    let span = |low: u64, high: u64| {
        let [least, most] = [low, high].map(|millis| human(Duration::from_millis(millis)));
        if low == 0 { format!("up to {most}") } else { format!("{least} to {most}") }
    };
    match estimate {
        Estimate::History { median_ms, longest_ms, .. } => {
            let kind = if simulated { "SIMULATED" } else { "measured" };
            format!("{}, {kind}", span(*median_ms, *longest_ms))
        }
        Estimate::Cited { low_ms, high_ms, .. } => {
            format!("{}, cited", span(*low_ms, *high_ms))
        }
        Estimate::Unknown { .. } => "duration not known".to_owned(),
    }
}

fn source(past: &Past<'_>) -> String {
    let cited = "`cited` ranges are what AWS or its users state";
    match past.from {
        None => format!(
            "figures: {cited}; --env NAME takes those of earlier runs; \
             what is not known counts as nothing"
        ),
        Some(name) => {
            let kind = if past.simulated { "simulated " } else { "" };
            format!(
                "figures: median to longest of earlier {kind}runs in `{name}`, where there are \
                 any; {cited}; what is not known counts as nothing"
            )
        }
    }
}

fn as_json(drawing: &Drawing) -> String {
    let nodes: Vec<_> = drawing
        .nodes
        .iter()
        .map(|node| {
            json!({
                "id": node.id, "title": node.title, "uses": node.uses, "kind": node.kind.word(),
                "marks": node.marks, "critical": node.critical, "figure": node.figure,
            })
        })
        .collect();
    let id = |at: usize| &drawing.nodes[at].id;
    let edges: Vec<_> = drawing
        .edges
        .iter()
        .map(|edge| {
            json!({
                "from": id(edge.from), "to": id(edge.to), "always": edge.dashed,
                "critical": edge.critical,
            })
        })
        .collect();
    let document = json!({
        "schema_version": 1, "runbook": drawing.name, "nodes": nodes, "edges": edges,
        "notes": drawing.notes,
    });
    serde_json::to_string_pretty(&document).expect("plain data") + "\n"
}
