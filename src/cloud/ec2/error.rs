//! Errors as EC2 writes them.
//!
//! **Invariant:** an error that could not be read has no code, and so is taken for no answer of EC2.

use super::Element;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::fmt;

/// An error of EC2: code and message.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ec2Error {
    meta: ErrorMetadata,
}

impl Ec2Error {
    /// From `<Response><Errors><Error><Code>…`, as EC2 writes it, or the form of the other services.
    pub(crate) fn read(root: &Element) -> Option<Self> {
        let error = match root.child("Errors") {
            Some(errors) => errors.child("Error"),
            None => root.child("Error"),
        }?;
        let code = error.text("Code")?;
        let message = error.text("Message").unwrap_or_default();
        let meta = ErrorMetadata::builder().code(code).message(message).build();
        Some(Self { meta })
    }
}

impl fmt::Display for Ec2Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.meta)
    }
}

impl std::error::Error for Ec2Error {}

impl ProvideErrorMetadata for Ec2Error {
    fn meta(&self) -> &ErrorMetadata {
        &self.meta
    }
}
