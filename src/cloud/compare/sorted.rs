//! Differences in the order of their keys, however many there are.
//!
//! **Invariant:** at most [`HELD`] are in memory; the rest are sorted runs in files that nobody else sees
//! and that are gone with the process.

use super::class::Difference;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Seek as _, Write as _};

/// Differences in memory: 10 MB of them.
const HELD: usize = 20_000;
/// Runs that are merged at a time.
const RUNS: usize = 64;

/// Takes differences in any order.
#[derive(Debug, Default)]
pub struct Sorter {
    held: Vec<Difference>,
    runs: Vec<File>,
}

impl Sorter {
    /// Takes up a difference.
    ///
    /// # Errors
    /// The temporary directory cannot be written.
    pub fn push(&mut self, difference: Difference) -> io::Result<()> {
        self.held.push(difference);
        if self.held.len() >= HELD {
            self.spill()?;
        }
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        self.held.sort_by(|one, other| one.key.cmp(&other.key));
        let mut run = BufWriter::new(tempfile::tempfile()?);
        for difference in self.held.drain(..) {
            write(&mut run, &difference)?;
        }
        self.runs.push(rewound(run)?);
        if self.runs.len() >= RUNS {
            let mut whole = BufWriter::new(tempfile::tempfile()?);
            let runs = std::mem::take(&mut self.runs);
            each(runs, |difference| write(&mut whole, &difference))?;
            self.runs.push(rewound(whole)?);
        }
        Ok(())
    }

    /// Gives all of them in the order of their keys.
    ///
    /// # Errors
    /// `give` failed, or the temporary directory cannot be read.
    pub fn each(mut self, mut give: impl FnMut(Difference) -> io::Result<()>) -> io::Result<()> {
        if !self.runs.is_empty() {
            self.spill()?;
            return each(self.runs, give);
        }
        self.held.sort_by(|one, other| one.key.cmp(&other.key));
        self.held.into_iter().try_for_each(&mut give)
    }
}

fn write(run: &mut BufWriter<File>, difference: &Difference) -> io::Result<()> {
    serde_json::to_writer(&mut *run, difference)?;
    run.write_all(b"\n")
}

fn rewound(run: BufWriter<File>) -> io::Result<File> {
    let mut run = run.into_inner().map_err(io::IntoInnerError::into_error)?;
    run.rewind()?;
    Ok(run)
}

fn each(runs: Vec<File>, mut give: impl FnMut(Difference) -> io::Result<()>) -> io::Result<()> {
    let mut runs: Vec<BufReader<File>> = runs.into_iter().map(BufReader::new).collect();
    let mut heads = Vec::new();
    for (at, run) in runs.iter_mut().enumerate() {
        if let Some(head) = read(run)? {
            heads.push((head, at));
        }
    }
    while let Some(least) =
        (0..heads.len()).min_by(|one, other| heads[*one].0.key.cmp(&heads[*other].0.key))
    {
        let from = heads[least].1;
        let given = match read(&mut runs[from])? {
            Some(next) => std::mem::replace(&mut heads[least], (next, from)).0,
            None => heads.swap_remove(least).0,
        };
        give(given)?;
    }
    Ok(())
}

fn read(run: &mut BufReader<File>) -> io::Result<Option<Difference>> {
    let mut line = String::new();
    if run.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    Ok(Some(serde_json::from_str(&line)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::compare::class::Class;

    #[test]
    fn many_come_in_order() {
        let mut sorter = Sorter::default();
        let count = 3 * HELD as u64 + 17;
        for number in 0..count {
            // 7,919 is prime: each number once, in no order.
            let key = format!("{:012}", number * 7_919 % count);
            let (class, how) = (Class::Missing, "x".into());
            let bare = (None, None, None);
            let (source, destination, status) = bare;
            let difference = Difference { key, class, how, source, destination, status };
            sorter.push(difference).expect("there is room");
        }
        assert_eq!((sorter.runs.len(), sorter.held.len()), (3, 17));
        let mut expected = 0;
        let read = sorter.each(|difference| {
            assert_eq!(difference.key, format!("{expected:012}"));
            expected += 1;
            Ok(())
        });
        read.expect("it can be read");
        assert_eq!(expected, count);
    }
}
