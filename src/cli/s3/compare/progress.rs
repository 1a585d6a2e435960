//! How far a comparison is, once a while on standard error; and where it is kept.
//!
//! **Invariant:** whoever interrupts it loses at most what was done since the last checkpoint was written,
//! and that is written once more.

use crate::base::clock::{Clock, format_instant};
use crate::base::duration::human;
use crate::cli::out;
use crate::cli::signals::Signals;
use crate::cloud::compare::{CompareError, Comparison, Standing};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::time::Duration;

/// Between two lines of a terminal, and of a log.
const TICK: Duration = Duration::from_millis(500);
const LINE: Duration = Duration::from_secs(10);
/// Between two checkpoints.
const SAVE: Duration = Duration::from_secs(5);

/// How a comparison ended.
pub(super) enum Ended {
    /// It is whole.
    Done,
    /// It failed; what was done is kept.
    Failed(CompareError),
    /// Somebody stopped it; whether it could be kept.
    Interrupted(io::Result<bool>),
}

/// Shows and keeps a comparison while it runs.
pub(super) struct Ticker {
    comparison: Arc<Comparison>,
    clock: Clock,
    bar: Option<ProgressBar>,
    began: Duration,
}

impl Ticker {
    pub(super) fn new(comparison: Arc<Comparison>, clock: Clock) -> Self {
        let shown = std::io::stderr().is_terminal() && !out::is_quiet();
        let bar = shown.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
                bar.set_style(style);
            }
            bar
        });
        let began = clock.elapsed();
        Self { comparison, clock, bar, began }
    }

    /// Runs the comparison to its end.
    pub(super) async fn watch(self) -> Ended {
        let mut signals = Signals::catch();
        let work = tokio::spawn(Arc::clone(&self.comparison).run());
        let mut work = std::pin::pin!(work);
        let (mut line, mut save) = (LINE, SAVE);
        let ended = loop {
            tokio::select! {
                biased;
                ended = &mut work => {
                    break match ended {
                        Ok(Ok(())) => Ended::Done,
                        Ok(Err(error)) => Ended::Failed(error),
                        Err(error) => std::panic::resume_unwind(error.into_panic()),
                    };
                }
                () = signals.next() => {
                    work.abort();
                    break Ended::Interrupted(self.comparison.save().map(|()| true));
                }
                () = self.clock.sleep(TICK) => {}
            }
            let passed = self.clock.elapsed().saturating_sub(self.began);
            if passed >= save {
                save = passed + SAVE;
                if let Err(error) = self.comparison.save() {
                    work.abort();
                    break Ended::Failed(error.into());
                }
            }
            self.show(passed, &mut line);
        };
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if let Ended::Failed(_) = &ended {
            let _ = self.comparison.save();
        }
        ended
    }

    fn show(&self, passed: Duration, line: &mut Duration) {
        let text = told(&self.comparison.standing(), passed);
        match &self.bar {
            Some(bar) => {
                bar.set_message(text);
                bar.tick();
            }
            None if passed >= *line => {
                *line = passed + LINE;
                out::progress(&format!("{} {text}", format_instant(self.clock.now())));
            }
            None => {}
        }
    }
}

/// `1234000 and 1233990 keys, 12 differ; 340000 keys/s, about 45 %, 20s left; 64 ranges`
fn told(standing: &Standing, passed: Duration) -> String {
    let totals = &standing.totals;
    let done = totals.source.max(totals.destination) as f64;
    let rate = done / passed.as_secs_f64().max(0.001);
    let mut text = format!(
        "{} and {} keys, {} differ; {rate:.0} keys/s",
        totals.source,
        totals.destination,
        totals.differing()
    );
    if standing.left > 0.0 && rate > 0.0 {
        let share = 100.0 * done / (done + standing.left);
        // The guess of a flat space may be far too high at first.
        let left = Duration::from_secs_f64((standing.left / rate).min(1e9));
        if left < Duration::from_secs(100 * 3600) {
            text.push_str(&format!(", about {share:.0} %, {} left", human(left)));
        }
    }
    if standing.throttled > 0 {
        text.push_str(&format!("; asked {} times to slow down", standing.throttled));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::compare::Totals;

    #[test]
    fn rate_and_what_is_left_are_told() {
        let totals = Totals { source: 5_000, destination: 4_000, ..Totals::default() };
        let mut standing = Standing { totals, left: 15_000.0, ..Standing::default() };
        let text = told(&standing, Duration::from_secs(10));
        assert_eq!(text, "5000 and 4000 keys, 0 differ; 500 keys/s, about 25 %, 30s left");
        standing.left = 1e20;
        standing.throttled = 3;
        let text = told(&standing, Duration::from_secs(10));
        let wanted = "5000 and 4000 keys, 0 differ; 500 keys/s; asked 3 times to slow down";
        assert_eq!(text, wanted);
    }
}
