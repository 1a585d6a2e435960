//! All objects, or all versions, below one prefix, page by page in order.
//!
//! **Invariant:** one page is read ahead and no more, whatever the bucket holds.

use super::lister::{ListPlace, Lister, PAGE};
use super::pace::Pace;
use super::page::ObjectPage;
use super::versions::{Version, VersionPage};
use crate::cloud::error::CloudError;
use crate::cloud::session::Shared;
use tokio::task::JoinHandle;

/// Pages of objects.
#[derive(Debug)]
pub struct ObjectStream {
    lister: Lister,
    ahead: Option<JoinHandle<Result<ObjectPage, CloudError>>>,
}

/// Pages of versions.
#[derive(Debug)]
pub struct VersionStream {
    lister: Lister,
    ahead: Option<JoinHandle<Listed>>,
}

type Listed = Result<(VersionPage, Option<(String, String)>), CloudError>;

/// All objects below a place, in the order of their keys.
pub(crate) fn objects(shared: &Shared, place: ListPlace) -> ObjectStream {
    let pace = Pace::new(shared.clock.clone(), 2);
    let lister = Lister::new(shared, place, pace);
    let ahead = Some(ask(&lister, String::new()));
    ObjectStream { lister, ahead }
}

/// All versions below a place, in the order of their keys, of each key the newest first.
pub(crate) fn versions(shared: &Shared, place: ListPlace) -> VersionStream {
    let pace = Pace::new(shared.clock.clone(), 2);
    let lister = Lister::new(shared, place, pace);
    let ahead = Some(ask_versions(&lister, (String::new(), String::new())));
    VersionStream { lister, ahead }
}

fn ask(lister: &Lister, after: String) -> JoinHandle<Result<ObjectPage, CloudError>> {
    let lister = lister.clone();
    tokio::spawn(async move { lister.objects(&after, PAGE).await })
}

fn ask_versions(lister: &Lister, after: (String, String)) -> JoinHandle<Listed> {
    let lister = lister.clone();
    tokio::spawn(async move { lister.versions(&after, PAGE).await })
}

impl ObjectStream {
    /// The next page; `None` behind the last.
    ///
    /// # Errors
    /// The bucket cannot be listed.
    pub async fn next(&mut self) -> Result<Option<ObjectPage>, CloudError> {
        let Some(ahead) = self.ahead.take() else { return Ok(None) };
        let page = ahead.await.expect("a page does not panic and is not aborted")?;
        if let (true, Some(last)) = (page.more, page.last()) {
            self.ahead = Some(ask(&self.lister, last.to_owned()));
        }
        Ok(Some(page))
    }
}

impl VersionStream {
    /// The next versions; `None` behind the last. A key's versions may go on in the next page.
    ///
    /// # Errors
    /// The bucket cannot be listed.
    pub async fn next(&mut self) -> Result<Option<Vec<Version>>, CloudError> {
        let Some(ahead) = self.ahead.take() else { return Ok(None) };
        let (page, next) = ahead.await.expect("a page does not panic and is not aborted")?;
        self.ahead = next.map(|next| ask_versions(&self.lister, next));
        Ok(Some(page.versions))
    }
}

impl Drop for ObjectStream {
    fn drop(&mut self) {
        if let Some(ahead) = self.ahead.take() {
            ahead.abort();
        }
    }
}

impl Drop for VersionStream {
    fn drop(&mut self) {
        if let Some(ahead) = self.ahead.take() {
            ahead.abort();
        }
    }
}
