//! The program as its users meet it: arguments in; exit code, text and files out.
//!
//! **Invariant:** every test has its own state directory and a cleared environment.

mod accounts;
mod alarm;
mod bad_environment;
mod bad_files;
mod bad_options;
mod beside;
mod control;
mod control_identity;
mod control_two;
mod damage;
mod doctor;
mod drill_all;
mod edited;
mod env;
mod failing_over;
mod faults;
mod full_disk;
mod gates;
mod happy;
mod init;
mod interrupted;
mod links;
mod lint;
mod locks;
mod notices;
mod old_control;
mod old_state;
mod past;
mod rehearse;
mod runbooks;
mod scenarios;
mod serve;
mod shared;
mod shared_lost;
mod shell;
mod snapshots;
mod stored_plan;
mod survive;
mod sweep;
mod two;
mod validate;
mod validate_slips;
mod watch_window;
