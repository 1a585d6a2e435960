//! `drctl init`: writes a project that works at once and teaches by its comments.
//!
//! **Invariant:** nothing that exists is changed: when anything is in the way, nothing is written.

mod files;

use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::out;
use crate::cli::runbook::SchemaKind;
use clap::Args;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// `drctl init`
#[derive(Debug, Args)]
#[command(
    after_help = "Writes drctl.yaml, an estate with a simulated environment, a runbook, a drill, \
    JSON Schemas for editors and a README.md.

Examples:
  drctl init                here
  drctl init recovery       in a new directory
  then: drctl drill restore-app --dry-run; drctl drill restore-app

Exit codes: 0 written, 2 something is in the way (it is listed, and nothing was written)."
)]
pub(super) struct InitArgs {
    /// The directory; it is made when it is not there.
    #[arg(default_value = ".", value_name = "DIR")]
    pub directory: PathBuf,
    /// Keep the files that exist and write the missing ones. Nothing is ever overwritten.
    #[arg(long)]
    pub force: bool,
}

/// Runs the command.
///
/// # Errors
/// Files are in the way, or the directory cannot be written.
pub(super) fn run(tools: &Tools, args: &InitArgs) -> Result<Exit, CommandError> {
    let root = &args.directory;
    let schemas = SchemaKind::ALL
        .into_iter()
        .map(|kind| (format!("schemas/{}", kind.file()), kind.text(&tools.catalogue)));
    let files: Vec<(String, String)> = files::FILES
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .chain(schemas)
        .collect();
    let occupied: Vec<&str> = files
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| fs::symlink_metadata(root.join(name)).is_ok())
        .collect();
    if !occupied.is_empty() && !args.force {
        let message = format!(
            "{} of {} files exist already in {}; nothing was written:\n  {}",
            occupied.len(),
            files.len(),
            root.display(),
            occupied.join("\n  ")
        );
        return Err(CommandError::usage(message).help(
            "choose another directory, or `--force` to keep these and write only the missing ones",
        ));
    }
    for (name, text) in &files {
        if occupied.contains(&name.as_str()) {
            out::result(&format!("kept     {name}"));
            continue;
        }
        write(root, name, text)?;
        out::result(&format!("written  {name}"));
    }
    let step =
        if *root == Path::new(".") { String::new() } else { format!("cd {}; ", root.display()) };
    out::progress(&format!("next: {step}drctl drill restore-app --dry-run"));
    Ok(Exit::Ok)
}

/// Writes a new file. One that appeared meanwhile is not overwritten.
fn write(root: &Path, name: &str, text: &str) -> Result<(), CommandError> {
    let path = root.join(name);
    let written = match path.parent() {
        Some(parent) => fs::create_dir_all(parent),
        None => Ok(()),
    }
    .and_then(|()| fs::File::create_new(&path))
    .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        CommandError::usage(format!("cannot write {}: {error}", path.display()))
            .help("what was written before stays; with `--force` the rest can be added later")
    })
}
