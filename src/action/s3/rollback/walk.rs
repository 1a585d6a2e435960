//! Walks over histories of a bucket, page by page.
//!
//! **Invariant:** at most one page and one key's history are held.

use super::history::{Gatherer, History};
use super::look::Reach;
use super::scan::Scope;
use super::terms::{Direction, Terms};
use crate::cloud::CloudError;
use crate::cloud::model::PageMark;
use std::collections::VecDeque;

/// A place in a listing of histories.
#[derive(Debug, Clone)]
pub(super) struct Walker {
    prefix: String,
    only: Option<String>,
    next: Option<PageMark>,
    gatherer: Gatherer,
    ready: VecDeque<History>,
    ended: bool,
}

impl Walker {
    /// From the first key after `after` on.
    pub(super) fn new(scope: &Scope, terms: &Terms, after: Option<&str>) -> Self {
        let other = match terms.direction {
            Direction::To { .. } => None,
            Direction::Undo { of, .. } => Some(of),
        };
        let after = after.map(|key| PageMark { key: key.to_owned(), version_id: None });
        Self {
            prefix: scope.prefix().to_owned(),
            only: scope.key().map(str::to_owned),
            next: after,
            gatherer: Gatherer::new(terms.to, other),
            ready: VecDeque::new(),
            ended: false,
        }
    }

    /// The next histories, at most `most`; none is the end.
    pub(super) async fn take(
        &mut self,
        reach: Reach<'_>,
        most: usize,
    ) -> Result<Vec<History>, CloudError> {
        while self.ready.len() < most && !self.ended {
            self.page(reach).await?;
        }
        let count = self.ready.len().min(most);
        Ok(self.ready.drain(..count).collect())
    }

    async fn page(&mut self, reach: Reach<'_>) -> Result<(), CloudError> {
        let place = (reach.bucket, self.prefix.as_str());
        let page = reach.view.histories(reach.region, place, self.next.as_ref()).await?;
        let mut beyond = false;
        for entry in page.entries {
            beyond = self.only.as_ref().is_some_and(|only| entry.key != *only);
            if beyond {
                break;
            }
            self.ready.extend(self.gatherer.push(entry));
        }
        self.ended = page.next.is_none() || beyond;
        self.next = page.next;
        if self.ended {
            self.ready.extend(self.gatherer.end());
        }
        Ok(())
    }
}
