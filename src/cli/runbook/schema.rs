//! `drctl runbook schema`.
//!
//! **Invariant:** what is shipped in `schemas/` is what this command writes.

use crate::action::Catalogue;
use crate::cli::config::CONFIG;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::reports::FileArgs;
use crate::estate::ESTATE;
use crate::runbook::schema::{drill_schema, file_schema, runbook_schema};
use clap::{Args, ValueEnum};

/// `drctl runbook schema`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  drctl runbook schema -o schemas/runbook.schema.json --force
  drctl runbook schema --kind drill -o schemas/drill.schema.json --force

An editor with a YAML language server finds the schema through a file's first line:
  # yaml-language-server: $schema=../schemas/runbook.schema.json

A schema knows fields, types and the actions' inputs. What needs the whole file or other files (cycles,
steps and outputs that expressions name, parameters of another file) only `drctl runbook validate` sees.")]
pub(crate) struct SchemaArgs {
    /// Which files the schema is for.
    #[arg(long, value_enum, default_value_t = SchemaKind::Runbook)]
    pub kind: SchemaKind,
    #[command(flatten)]
    pub target: FileArgs,
}

/// Kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaKind {
    /// `runbooks/*.yaml`
    Runbook,
    /// `drills/*.yaml`
    Drill,
    /// `estates/*.yaml`
    Estate,
    /// `drctl.yaml`
    Config,
}

impl SchemaKind {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Runbook, Self::Drill, Self::Estate, Self::Config];

    /// The name of its file below `schemas/`.
    pub(crate) fn file(self) -> &'static str {
        match self {
            Self::Runbook => "runbook.schema.json",
            Self::Drill => "drill.schema.json",
            Self::Estate => "estate.schema.json",
            Self::Config => "config.schema.json",
        }
    }

    /// The schema's text.
    pub(crate) fn text(self, catalogue: &Catalogue) -> String {
        let schema = match self {
            Self::Runbook => runbook_schema(catalogue),
            Self::Drill => drill_schema(),
            Self::Estate => file_schema("drctl estate", &ESTATE),
            Self::Config => file_schema("drctl configuration", &CONFIG),
        };
        serde_json::to_string_pretty(&schema).expect("plain data") + "\n"
    }
}

/// Runs the command.
///
/// # Errors
/// The file exists or cannot be written.
pub(super) fn run(tools: &Tools, args: &SchemaArgs) -> Result<Exit, CommandError> {
    args.target.write(&args.kind.text(&tools.catalogue))?;
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::SchemaKind;
    use crate::action::standard;
    use std::path::Path;

    #[test]
    fn shipped_schemas_are_the_generated_ones() {
        for kind in SchemaKind::ALL {
            let (file, word) = (kind.file(), format!("{kind:?}").to_lowercase());
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(file);
            let shipped = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                shipped == kind.text(&standard()),
                "schemas/{file} is out of date; renew it with\n  \
                 drctl runbook schema --kind {word} --force -o schemas/{file}"
            );
        }
    }
}
