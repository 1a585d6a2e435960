//! Reports as HTML: one file that needs nothing else and prints.
//!
//! **Invariant:** everything that a journal says is escaped; no script, and nothing is fetched: a
//! content security policy that knows only our style sheet says so to the browser too.

pub mod detail;
pub mod history;
pub mod origin;
pub mod run;
pub mod verdict;

pub use history::render_history_html;
pub use run::render_html;

#[cfg(test)]
mod tests;
