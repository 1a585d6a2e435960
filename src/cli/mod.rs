//! The command line: one file a command, wiring, progress, exit codes.
//!
//! **Invariant:** the only layer that knows the terminal, the environment variables and the simulator.

mod alarm;
mod args;
mod asked;
mod config;
mod confirm;
mod control;
mod doctor;
mod drill;
mod drill_all;
mod drill_list;
mod edited;
mod error;
mod exit;
mod explain;
mod explain_action;
mod fixed;
mod given;
mod heartbeat;
mod history;
mod init;
mod journal;
mod journal_show;
mod launch;
mod lock;
mod logging;
mod main;
mod out;
mod past;
mod people;
mod person;
mod plan_view;
mod progress;
mod project;
mod question;
mod rehearse;
mod reports;
mod resume;
mod run;
mod runbook;
mod session;
mod shared;
mod shell;
mod signals;
mod sim;
mod standing;
mod state;
mod status;
mod sweep;
mod takeup;
mod undertake;
mod undo_view;
mod validate;
mod watch;

pub use main::main;
