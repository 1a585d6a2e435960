//! What the machine itself has to offer: a state directory that keeps, files that are valid, resolvers.
//!
//! **Invariant:** nothing here leaves the machine.

use super::{Finding, State};
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::project::FileKind;
use std::io::Write as _;
use std::path::Path;

const PLACE: &str = "machine";

/// Examines the machine.
pub(in crate::cli) fn machine(tools: &Tools) -> Vec<Finding> {
    vec![state_directory(tools.state.root()), files(tools), resolvers()]
}

fn state_directory(root: &Path) -> Finding {
    let shown = root.display();
    match try_to_keep(root) {
        Ok(()) => Finding::new(PLACE, "state directory", State::Ok, format!("{shown} keeps files")),
        Err(error) => {
            let what = format!("{shown} cannot be written: {error}");
            Finding::new(PLACE, "state directory", State::Fail, what)
                .help(
                    "set DRCTL_STATE_DIR to a directory that can be written: no run starts without",
                )
                .exit(Exit::Journal)
        }
    }
}

/// Writes, syncs and removes a file, as a journal is written.
fn try_to_keep(root: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(root)?;
    let path = root.join(format!(".doctor-{}", std::process::id()));
    let kept = std::fs::File::create(&path)
        .and_then(|mut file| file.write_all(b"drctl doctor\n").and_then(|()| file.sync_all()));
    std::fs::remove_file(&path).or_else(|error| if kept.is_err() { Ok(()) } else { Err(error) })?;
    kept
}

fn files(tools: &Tools) -> Finding {
    let estates = tools.project.names(FileKind::Estate);
    let runbooks = tools.project.names(FileKind::Runbook);
    let bad_estates = estates.iter().filter(|name| tools.estate(name).is_err());
    let bad_runbooks = runbooks.iter().filter(|name| tools.runbook(name).is_err());
    let bad: Vec<&str> = bad_estates.chain(bad_runbooks).map(String::as_str).collect();
    if bad.is_empty() {
        let what = format!("{} runbooks and {} estates are valid", runbooks.len(), estates.len());
        return Finding::new(PLACE, "files", State::Ok, what);
    }
    Finding::new(PLACE, "files", State::Fail, format!("not valid: {}", bad.join(", ")))
        .help("`drctl runbook validate` shows every problem")
        .exit(Exit::Usage)
}

fn resolvers() -> Finding {
    match hickory_resolver::system_conf::read_system_conf() {
        Ok((config, _)) if !config.name_servers().is_empty() => {
            let servers = config.name_servers().iter().map(|server| server.ip.to_string());
            let what = format!("names are asked of {}", servers.collect::<Vec<_>>().join(", "));
            Finding::new(PLACE, "resolvers", State::Ok, what)
        }
        Ok(_) => Finding::new(PLACE, "resolvers", State::Warn, "the system names no name server")
            .help("AWS endpoints are found by name: see /etc/resolv.conf"),
        Err(error) => {
            let what = format!("the system's name servers cannot be read: {error}");
            Finding::new(PLACE, "resolvers", State::Unknown, what).help("see /etc/resolv.conf")
        }
    }
}
