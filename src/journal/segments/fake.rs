//! A store of objects in memory whose answers get lost and whose callers take turns as a test says.
//!
//! **Invariant:** conditions are judged under one lock, as a bucket judges them.

use crate::journal::objects::{BucketProblem, Object, ObjectError, Objects, Tag};
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// A write's answer is lost, and the write too; a read fails.
    LostBefore,
    /// A write's answer is lost, the write is not; a read fails.
    LostAfter,
    /// Two writes of one key met (409): no effect, look again.
    Conflict,
    /// Nobody answers from here on.
    Down,
}

#[derive(Debug, Default)]
struct Inner {
    objects: BTreeMap<String, (Vec<u8>, u64)>,
    versions: u64,
    calls: u64,
    puts: u64,
    troubles: BTreeMap<u64, Trouble>,
    is_down: bool,
}

/// A bucket in memory; clones are handles on the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct FakeBucket {
    inner: Arc<Mutex<Inner>>,
    turns: Option<(Arc<Turns>, usize)>,
}

impl FakeBucket {
    /// Call number `call` from now on (from 1) meets `trouble`.
    pub(crate) fn plan(&self, call: u64, trouble: Trouble) {
        let mut inner = self.inner();
        let number = inner.calls + call;
        inner.troubles.insert(number, trouble);
    }

    /// Nobody answers any more, or everybody does again.
    pub(crate) fn down(&self, is_down: bool) {
        let mut inner = self.inner();
        inner.is_down = is_down;
        inner.troubles.clear();
    }

    /// How many calls there were, and how many of them wrote.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let inner = self.inner();
        (inner.calls, inner.puts)
    }

    /// The handle of writer number `writer`, whose calls wait for their turn.
    pub(crate) fn taking(&self, turns: &Arc<Turns>, writer: usize) -> Self {
        Self { inner: Arc::clone(&self.inner), turns: Some((Arc::clone(turns), writer)) }
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.inner().objects.keys().cloned().collect()
    }

    pub(crate) fn bytes(&self, key: &str) -> Vec<u8> {
        self.inner().objects[key].0.clone()
    }

    /// Edits, makes or removes an object behind everybody's back.
    pub(crate) fn tamper(&self, key: &str, bytes: Option<Vec<u8>>) {
        let mut inner = self.inner();
        match bytes {
            Some(bytes) => drop(inner.objects.insert(key.to_owned(), (bytes, 0))),
            None => drop(inner.objects.remove(key)),
        }
    }

    /// A copy with a life of its own.
    pub(crate) fn fork(&self) -> Self {
        let inner = self.inner();
        let (objects, versions) = (inner.objects.clone(), inner.versions);
        let copy = Inner { objects, versions, ..Inner::default() };
        Self { inner: Arc::new(Mutex::new(copy)), turns: None }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// One call: `work` is what it does unless something is in its way.
    fn call<T>(
        &self,
        writes: bool,
        work: impl FnOnce(&mut Inner) -> Result<T, ObjectError>,
    ) -> Result<T, ObjectError> {
        if let Some((turns, writer)) = &self.turns {
            turns.wait(*writer);
        }
        let mut inner = self.inner();
        inner.calls += 1;
        inner.puts += u64::from(writes);
        let trouble = inner.troubles.get(&inner.calls).copied();
        inner.is_down |= trouble == Some(Trouble::Down);
        let unreachable = || ObjectError::Failed(BucketProblem::Unreachable, "planned".to_owned());
        if inner.is_down {
            return Err(unreachable());
        }
        match trouble {
            None | Some(Trouble::Down) => work(&mut inner),
            Some(_) if !writes => Err(unreachable()),
            Some(Trouble::LostAfter) => {
                work(&mut inner)?;
                Err(ObjectError::Unclear("planned".to_owned()))
            }
            Some(Trouble::LostBefore | Trouble::Conflict) => {
                Err(ObjectError::Unclear("planned".to_owned()))
            }
        }
    }
}

impl Inner {
    fn put(&mut self, key: &str, bytes: &[u8]) -> Tag {
        self.versions += 1;
        self.objects.insert(key.to_owned(), (bytes.to_vec(), self.versions));
        Tag(self.versions.to_string())
    }
}

impl Objects for FakeBucket {
    fn get(&self, key: &str) -> Result<Option<Object>, ObjectError> {
        self.call(false, |inner| {
            let found = inner.objects.get(key);
            Ok(found.map(|(bytes, version)| Object {
                bytes: bytes.clone(),
                tag: Tag(version.to_string()),
            }))
        })
    }

    fn put_if_absent(&self, key: &str, bytes: &[u8]) -> Result<Tag, ObjectError> {
        self.call(true, |inner| match inner.objects.contains_key(key) {
            true => Err(ObjectError::Taken),
            false => Ok(inner.put(key, bytes)),
        })
    }

    fn put_if_match(&self, key: &str, bytes: &[u8], tag: &Tag) -> Result<Tag, ObjectError> {
        self.call(true, |inner| {
            let version = inner.objects.get(key).map(|(_, version)| version.to_string());
            if version.as_ref() == Some(&tag.0) {
                Ok(inner.put(key, bytes))
            } else {
                Err(ObjectError::Taken)
            }
        })
    }

    fn list_after(&self, prefix: &str, after: &str) -> Result<Vec<String>, ObjectError> {
        self.call(false, |inner| {
            let keys = inner.objects.keys();
            let wanted = keys.filter(|key| key.starts_with(prefix) && key.as_str() > after);
            Ok(wanted.cloned().collect())
        })
    }

    fn directories(&self, prefix: &str) -> Result<Vec<String>, ObjectError> {
        self.call(false, |inner| {
            let rests = inner.objects.keys().filter_map(|key| key.strip_prefix(prefix));
            let mut names: Vec<String> = rests
                .filter_map(|rest| rest.split_once('/'))
                .map(|(name, _)| name.to_owned())
                .collect();
            names.dedup();
            Ok(names)
        })
    }

    fn place(&self) -> &str {
        "s3://fake/team"
    }
}

/// Whose call is next, of two writers.
#[derive(Debug)]
pub(crate) struct Turns {
    state: Mutex<(Vec<usize>, [bool; 2])>,
    changed: Condvar,
}

impl Turns {
    /// Calls in this order; when a writer has ended, the other one goes on alone.
    pub(crate) fn new(order: impl IntoIterator<Item = usize>) -> Arc<Self> {
        let mut order: Vec<usize> = order.into_iter().collect();
        order.reverse();
        Arc::new(Self { state: Mutex::new((order, [false; 2])), changed: Condvar::new() })
    }

    fn wait(&self, writer: usize) {
        let mut state = self.state.lock().unwrap();
        loop {
            match state.0.last() {
                Some(next) if *next == writer => break,
                Some(next) if state.1[*next] => drop(state.0.pop()),
                Some(_) => state = self.changed.wait(state).unwrap(),
                None => return,
            }
        }
        state.0.pop();
        self.changed.notify_all();
    }

    /// Writer number `writer` makes no more calls.
    pub(crate) fn end(&self, writer: usize) {
        self.state.lock().unwrap().1[writer] = true;
        self.changed.notify_all();
    }
}
