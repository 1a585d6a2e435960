//! Planning: what would happen, with exact names, before anything does.
//!
//! **Invariant:** nothing here can change anything; it holds no writing capability.

mod assemble;
mod beside;
mod build;
mod call;
mod change;
mod detection;
mod estimate;
mod fences;
mod foresee;
mod gate;
pub mod model;
mod nature;
mod notify;
mod place;
mod preview;
mod review;
mod scope;

pub use assemble::{certificate, environment_record};
pub use build::{PlanError, PlanRequest, PlanTools, build, expires, run_facts};
pub use call::{PlannedCall, PlannedParameter, depends_on};
pub use change::carry_over;
pub use detection::{AlarmRecord, Detection};
pub use estimate::{Durations, Link, critical_path, estimate, recovery_time, waits_for_people};
pub use gate::{Follows, follows};
pub use notify::NotifyRecord;
pub use review::{answer_word, has_forms, moved_facts, predicted_failures};
pub use scope::{StepResult, coerce_inputs, mentioned, step_scope, typed_outputs};
