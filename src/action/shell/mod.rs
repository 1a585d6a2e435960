//! Programs of this machine.
//!
//! **Invariant:** no shell: a list of words goes to the program as it is written.

mod run;

pub(super) use run::ShellRun;
