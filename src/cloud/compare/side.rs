//! One side of a range of keys: a page, and where the next one begins.
//!
//! **Invariant:** never more than one page.

use super::merge::Cursor;
use crate::cloud::error::CloudError;
use crate::cloud::listing::Lister;

/// One side of a range.
pub(super) struct Side {
    pub(super) cursor: Cursor,
    after: String,
    ended: bool,
}

impl Side {
    pub(super) fn behind(after: &str) -> Self {
        Self { cursor: Cursor::default(), after: after.to_owned(), ended: false }
    }

    /// Reads the next page, where the last one is dealt with and more may follow.
    pub(super) async fn fill(&mut self, lister: &Lister, most: u16) -> Result<(), CloudError> {
        if self.ended || !self.cursor.is_drained() {
            return Ok(());
        }
        let page = lister.objects(&self.after, most).await?;
        self.ended = !page.more;
        if let Some(last) = page.last() {
            last.clone_into(&mut self.after);
        }
        self.cursor = Cursor::new(page);
        Ok(())
    }

    /// The key up to which everything is known; `None` when that is the end of all keys.
    pub(super) fn reaches(&self) -> Option<&str> {
        (!self.ended).then_some(self.after.as_str())
    }

    /// A few keys of the page, from which the space of keys is learned.
    pub(super) fn few(&self) -> Vec<String> {
        let page = self.cursor.page();
        let step = (page.len() / 8).max(1);
        (0..page.len()).step_by(step).map(|at| page.key(at).to_owned()).collect()
    }
}
