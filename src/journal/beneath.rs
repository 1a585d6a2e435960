//! Stores over another store: what they do not do themselves, the one beneath does.
//!
//! **Invariant:** each method of `Store` is passed on unchanged; its signature stands here once.

/// Within `impl Store for …`: the named methods are those of the store in the named field.
macro_rules! beneath {
    ($field:ident: $($method:ident)*) => { $($crate::journal::beneath::beneath!(@ $method $field);)* };
    (@ append $field:ident) => {
        fn append(
            &mut self,
            batch: &[$crate::journal::event::Record],
        ) -> Result<$crate::journal::Head, $crate::journal::JournalError> {
            self.$field.append(batch)
        }
    };
    (@ load $field:ident) => {
        fn load(
            &self,
        ) -> Result<Vec<$crate::journal::StoredRecord>, $crate::journal::JournalError> {
            self.$field.load()
        }
    };
    (@ salvage $field:ident) => {
        fn salvage(&self) -> Result<$crate::journal::Salvaged, $crate::journal::JournalError> {
            self.$field.salvage()
        }
    };
    (@ head $field:ident) => {
        fn head(&self) -> Result<$crate::journal::Head, $crate::journal::JournalError> {
            self.$field.head()
        }
    };
    (@ acquire $field:ident) => {
        fn acquire(
            &mut self,
            holder: &str,
            now: chrono::DateTime<chrono::Utc>,
            ttl: std::time::Duration,
            takeover: $crate::journal::Takeover,
        ) -> Result<$crate::journal::Fence, $crate::journal::JournalError> {
            self.$field.acquire(holder, now, ttl, takeover)
        }
    };
    (@ renew $field:ident) => {
        fn renew(
            &mut self,
            fence: $crate::journal::Fence,
            now: chrono::DateTime<chrono::Utc>,
            ttl: std::time::Duration,
        ) -> Result<(), $crate::journal::JournalError> {
            self.$field.renew(fence, now, ttl)
        }
    };
    (@ release $field:ident) => {
        fn release(
            &mut self,
            fence: $crate::journal::Fence,
        ) -> Result<(), $crate::journal::JournalError> {
            self.$field.release(fence)
        }
    };
    (@ lease $field:ident) => {
        fn lease(&self) -> Result<Option<$crate::journal::Lease>, $crate::journal::JournalError> {
            self.$field.lease()
        }
    };
    (@ check $field:ident) => {
        fn check(
            &self,
            fence: $crate::journal::Fence,
            now: chrono::DateTime<chrono::Utc>,
        ) -> Result<(), $crate::journal::JournalError> {
            self.$field.check(fence, now)
        }
    };
    (@ post $field:ident) => {
        fn post(
            &mut self,
            posted: &$crate::journal::Posted,
        ) -> Result<(), $crate::journal::JournalError> {
            self.$field.post(posted)
        }
    };
    (@ posted $field:ident) => {
        fn posted(&self) -> Result<Vec<$crate::journal::Posted>, $crate::journal::JournalError> {
            self.$field.posted()
        }
    };
    (@ note $field:ident) => {
        fn note(&mut self, key: &str, value: &str) -> Result<(), $crate::journal::JournalError> {
            self.$field.note(key, value)
        }
    };
    (@ notes $field:ident) => {
        fn notes(&self) -> Result<Vec<$crate::journal::Note>, $crate::journal::JournalError> {
            self.$field.notes()
        }
    };
    (@ place $field:ident) => {
        fn place(&self) -> &str {
            self.$field.place()
        }
    };
}
pub(crate) use beneath;
