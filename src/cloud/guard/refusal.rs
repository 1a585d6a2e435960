//! Why the guard refused a call.
//!
//! **Invariant:** each refusal names the operation as far as it is known, and nothing of the request.

use std::error::Error;

/// A call that did not leave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuardRefusal {
    /// A dry run reads and nothing else.
    #[error("dry run: {operation} is not a read-only operation, so it was not sent")]
    DryRunRefused {
        /// `rds:DeleteDBInstance`.
        operation: String,
    },
    /// A live run calls what its plan declared and nothing else.
    #[error("{operation} was not sent: the plan does not declare it")]
    NotDeclared {
        /// `rds:DeleteDBInstance`.
        operation: String,
    },
    /// Data of the environment must not be in that region.
    #[error("{operation} was not sent to {region}: the environment does not allow data there")]
    RegionNotAllowed {
        /// `rds:CopyDBSnapshot`.
        operation: String,
        /// Where it was to be sent.
        region: String,
    },
    /// The SDK did not say which operation this is.
    #[error("a call without an operation name was not sent")]
    Nameless,
    /// A request came past the interceptor.
    #[error("a request that the guard had not cleared was not sent ({said})")]
    Uncleared {
        /// What the request says it is.
        said: String,
    },
    /// A request says something else than what was cleared.
    #[error("a request cleared as {cleared} says {said}, so it was not sent")]
    Mismatch {
        /// The cleared operation.
        cleared: String,
        /// What the request says it is.
        said: String,
    },
    /// A mutation was about to be sent a second time.
    #[error("{operation} was not sent a second time: only the engine repeats a mutation")]
    Repeated {
        /// `rds:DeleteDBInstance`.
        operation: String,
    },
    /// The lease under which the run mutates had ended when the request was about to leave: this process
    /// was stopped for longer than the lease lasts, and another may drive the run.
    #[error("{operation} was not sent: the lease on the run ended before it could leave")]
    LeaseEnded {
        /// `rds:DeleteDBInstance`.
        operation: String,
    },
    /// A credential provider wanted to call something that is not on its list.
    #[error(
        "a credential provider's request to {place} was not sent: it is not on the list of \
         credential calls"
    )]
    NotACredentialCall {
        /// Method, host and path, without a query.
        place: String,
    },
    /// The client of a shared journal was used for something else.
    #[error("a request to {place} was not sent: it is outside of the shared journal's place")]
    Elsewhere {
        /// Method, host and path, without a query.
        place: String,
    },
}

impl GuardRefusal {
    /// The refusal somewhere in an error's chain of causes.
    pub fn find<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(current) = next {
            if let Some(refusal) = current.downcast_ref::<Self>() {
                return Some(refusal);
            }
            next = current.source();
        }
        None
    }
}
