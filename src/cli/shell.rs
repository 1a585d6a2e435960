//! `drctl completions` and `drctl man`: what shells and manuals know of the command line.
//!
//! **Invariant:** both are made from the same definition that parses the command line.

use crate::cli::args::Cli;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::out;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use std::path::{Path, PathBuf};

/// `drctl completions`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    drctl completions bash > ~/.local/share/bash-completion/completions/drctl\n  \
    drctl completions zsh > ~/.zfunc/_drctl\n  \
    drctl completions fish > ~/.config/fish/completions/drctl.fish")]
pub(super) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// `drctl man`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drctl man | man -l -\n  \
    drctl man --dir ~/.local/share/man/man1")]
pub(super) struct ManArgs {
    /// Write drctl.1 and a page for every command into this directory.
    #[arg(long, value_name = "DIRECTORY")]
    dir: Option<PathBuf>,
}

/// Writes the completions.
pub(super) fn completions(args: &CompletionsArgs) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "drctl", &mut script);
    out::bytes(&script);
    Exit::Ok
}

/// Writes the manual.
///
/// # Errors
/// The directory cannot be written.
pub(super) fn man(args: &ManArgs) -> Result<Exit, CommandError> {
    match &args.dir {
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command())
                .render(&mut page)
                .map_err(|error| CommandError::new(Exit::Internal, error.to_string()))?;
            out::bytes(&page);
        }
        Some(directory) => {
            write_pages(directory).map_err(|error| {
                CommandError::usage(format!("cannot write into {}: {error}", directory.display()))
            })?;
            out::result(&format!("manual pages are in {}", directory.display()));
        }
    }
    Ok(Exit::Ok)
}

fn write_pages(directory: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)?;
    clap_mangen::generate_to(Cli::command(), directory)
}
