//! Real programs: obedient ones, and those that do not end, do not stop talking, or tell secrets.
//!
//! **Invariant:** nothing that a test starts is left running.
