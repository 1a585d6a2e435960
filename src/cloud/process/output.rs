//! Keeps what a program prints: its beginning, its end, its length and its digest.
//!
//! **Invariant:** memory is bounded whatever is printed, and what is shown is redacted; where something
//! was left out, no half line is shown, because a half line may be half a credential.

use super::contract::Output;
use crate::base::digest::Digester;
use crate::base::redact::redact;
use crate::base::secret::{ExposeSecret, HIDDEN, Secret};
use std::collections::VecDeque;

/// Kept of the beginning and of the end, bytes each: together what a person reads in a report.
const HALF: usize = 32_768;
/// Shorter values are words like `1` or `true`: hiding them would hide everything else.
const SHORTEST_SECRET: usize = 6;

/// Output so far.
#[derive(Debug, Default)]
pub(super) struct Kept {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    bytes: u64,
    digester: Digester,
}

impl Kept {
    /// Takes the next piece.
    pub(super) fn push(&mut self, piece: &[u8]) {
        self.bytes += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.digester.update(piece);
        let room = (HALF - self.head.len()).min(piece.len());
        let (first, rest) = piece.split_at(room);
        self.head.extend_from_slice(first);
        self.tail.extend(rest);
        let surplus = self.tail.len().saturating_sub(HALF);
        self.tail.drain(..surplus);
    }

    /// What was printed, without the values in `secrets`.
    pub(super) fn finish(self, secrets: &[Secret]) -> Output {
        let (head, tail) = (self.head, Vec::from(self.tail));
        let kept = u64::try_from(head.len() + tail.len()).unwrap_or(u64::MAX);
        let left_out = self.bytes - kept;
        let shown = if left_out == 0 {
            clean(&[head, tail].concat(), secrets)
        } else {
            let end = head.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let start = tail.iter().position(|byte| *byte == b'\n').map_or(tail.len(), |at| at + 1);
            let dropped = u64::try_from(head.len() - end + start).unwrap_or(0);
            format!(
                "{}[… {} bytes left out …]\n{}",
                clean(&head[..end], secrets),
                left_out + dropped,
                clean(&tail[start..], secrets)
            )
        };
        Output { shown, bytes: self.bytes, digest: self.digester.finish() }
    }
}

/// Text that can be stored and shown.
fn clean(bytes: &[u8], secrets: &[Secret]) -> String {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    for secret in secrets {
        // A key over several lines is hidden line by line.
        for line in secret.expose_secret().lines().map(str::trim) {
            if line.len() >= SHORTEST_SECRET {
                text = text.replace(line, HIDDEN);
            }
        }
    }
    let printable = |c: char| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c };
    redact(&text.chars().map(printable).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::{HALF, Kept};
    use crate::base::digest::Digest;
    use crate::base::secret::Secret;

    fn kept(pieces: &[&[u8]]) -> Kept {
        let mut kept = Kept::default();
        pieces.iter().for_each(|piece| kept.push(piece));
        kept
    }

    #[test]
    fn short_output_is_whole() {
        let output = kept(&[b"one\n", b"two\n"]).finish(&[]);
        assert_eq!((output.shown.as_str(), output.bytes), ("one\ntwo\n", 8));
        assert_eq!(output.digest, Digest::of(b"one\ntwo\n"));
        assert_eq!(kept(&[]).finish(&[]).digest, Digest::of(b""));
    }

    #[test]
    fn long_output_keeps_whole_lines_of_both_ends_and_the_digest_of_all() {
        let text: String = (0..20_000).map(|number| format!("line {number}\n")).collect();
        for size in [1, 7, 4_096, text.len()] {
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            let output = kept(&pieces).finish(&[]);
            assert!(output.shown.starts_with("line 0\n") && output.shown.ends_with("line 19999\n"));
            assert!(output.shown.len() <= 2 * HALF + 100, "{}", output.shown.len());
            assert_eq!(output.digest, Digest::of(text.as_bytes()));
            for line in output.shown.lines().filter(|line| !line.contains("left out")) {
                let number = line.strip_prefix("line ").and_then(|text| text.parse::<u32>().ok());
                assert!(number.is_some_and(|number| number < 20_000), "half a line: {line}");
            }
            let named = output.shown.split_once("[… ").and_then(|(_, rest)| rest.split_once(' '));
            let left: usize = named.expect("it says so").0.parse().expect("a number");
            let gap = "[…  bytes left out …]\n".len() + left.to_string().len();
            assert_eq!(output.shown.len() - gap + left, text.len());
        }
    }

    #[test]
    fn one_endless_line_is_not_shown_in_part() {
        let output = kept(&[&vec![b'x'; 3 * HALF]]).finish(&[]);
        assert_eq!(output.shown, format!("[… {} bytes left out …]\n", 3 * HALF));
    }

    #[test]
    fn secrets_and_control_characters_are_not_shown() {
        let secrets = [Secret::from("hunter2-hunter2"), Secret::from("-----\nQUJDREVG\n-----")];
        let text = b"user hunter2-hunter2 \0 \x1b[31m token=abc key QUJDREVG \xff\n";
        let shown = kept(&[text]).finish(&secrets).shown;
        assert_eq!(
            shown,
            "user (secret) \u{fffd} \u{fffd}[31m token=(secret) key (secret) \u{fffd}\n"
        );
    }
}
