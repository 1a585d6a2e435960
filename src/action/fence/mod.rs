//! Fences: what keeps an old writer from writing while another one takes over.
//!
//! **Invariant:** a fence is done when AWS shows it in several looks, and gives back exactly what it took.

mod ingress;
mod release_security_group;
mod security_group;
#[cfg(test)]
mod tests;

pub(super) use release_security_group::ReleaseSecurityGroup;
pub(super) use security_group::FenceSecurityGroup;
