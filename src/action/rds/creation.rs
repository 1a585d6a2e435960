//! What a call that creates something came to.
//!
//! **Invariant:** a name that is taken is no failure here: the next look decides by its tag whose it is.

use crate::action::outcome::{Acted, ActionError};
use crate::cloud::{Accepted, CloudError};

/// The end of a creating call; `taken` is AWS's code for a name that is there already, which our own earlier
/// attempt may have made.
///
/// # Errors
/// AWS refused it for another reason, or it is in doubt.
pub(super) fn created(
    answer: Result<Accepted, CloudError>,
    taken: &str,
) -> Result<Acted, ActionError> {
    let request_id = match answer {
        Ok(accepted) => accepted.request_id,
        Err(error) if error.is(taken) => error.request_id,
        Err(error) => return Err(error.into()),
    };
    Ok(Acted { request_id, ..Acted::default() })
}
