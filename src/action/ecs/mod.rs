//! Verbs of ECS services: checked, scaled, deployed, rolled back, fenced.
//!
//! **Invariant:** a change is done when ECS shows what was asked for at rest; "stable" alone proves
//! nothing, because a deployment that the circuit breaker rolled back ends stable too.

mod amount;
mod check_service;
mod deploy;
mod deploying;
mod fence;
mod redeploy;
mod rollback;
mod scale;
mod target;
#[cfg(test)]
mod tests;
mod wait_stable;

pub(crate) use check_service::CheckService;
pub(crate) use deploy::Deploy;
pub(crate) use fence::Fence;
pub(crate) use redeploy::Redeploy;
pub(crate) use rollback::RollBack;
pub(crate) use scale::Scale;
pub(crate) use wait_stable::WaitStable;
