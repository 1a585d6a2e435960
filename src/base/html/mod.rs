//! The frame of every HTML page that drctl writes, and text made fit for it.
//!
//! **Invariant:** no script, and nothing is fetched: a content security policy that knows only our
//! style sheet says so to the browser too.

mod page;
mod style;
mod text;

pub use page::page;
pub use style::STYLE;
pub use text::{code, heading, instant, plain, shown, words};
