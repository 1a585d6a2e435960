//! What is in a bucket: pages of objects and of versions, read fast and in order.
//!
//! The requests go through the SDK's own runtime and the guard (`src/cloud/own.rs`); only what reads the
//! answers is ours, because the generated reader takes 41 µs for each ten keys.
//!
//! **Invariant:** keys come in the order of their UTF-8 bytes, each once, whatever is asked at a time; a
//! server that has another order is an error.

mod keyspace;
mod lister;
mod pace;
mod page;
mod parse;
mod ranges;
mod stream;
mod tag;
mod versions;
mod xml;

pub use lister::{ListPlace, Lister, PAGE};
pub use pace::Pace;
#[cfg(test)]
pub(crate) use page::page_of;
pub use page::{Object, ObjectPage};
pub(crate) use parse::instant as read_instant;
pub use parse::{objects as read_objects, versions as read_versions};
pub use ranges::{Claim, Piece, Ranges};
pub use stream::{ObjectStream, VersionStream};
pub(crate) use stream::{objects as all_objects, versions as all_versions};
pub use tag::Tag;
pub use versions::{Version, VersionPage};
pub use xml::Unreadable;
pub(crate) use xml::url_decoded as decoded_key;
