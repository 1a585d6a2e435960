//! Why a comparison ends early.
//!
//! **Invariant:** an error of this machine's files is never taken for one of a bucket.

use crate::cloud::error::{CloudError, ErrorClass};
use std::io;

/// Why a comparison ended early.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A bucket cannot be read.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// A file of this machine cannot be written or read.
    #[error("differences cannot be kept: {0}; look at the temporary directory and the checkpoint")]
    Io(#[from] io::Error),
}

impl CompareError {
    /// As an error of a call, for whoever knows no other.
    pub fn into_cloud(self) -> CloudError {
        match self {
            Self::Cloud(error) => error,
            Self::Io(error) => CloudError {
                class: ErrorClass::Permanent,
                operation: "compare".to_owned(),
                region: String::new(),
                code: None,
                message: error.to_string(),
                request_id: None,
            },
        }
    }
}
