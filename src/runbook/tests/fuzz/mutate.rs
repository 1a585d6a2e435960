//! Makes files and expressions that are nearly right: pieces of the shipped files and of the examples
//! of `drctl explain`, changed where it hurts.

use crate::runbook::codes::CODES;
use crate::runbook::explain::explanation;
use crate::runbook::tests::oracle::Generator;
use std::ops::Range;

/// Files to begin with.
const SHIPPED: [&str; 6] = [
    include_str!("../../../../runbooks/restore-db.yaml"),
    include_str!("../../../../drills/restore-db.yaml"),
    include_str!("../../../../localstack/estates/techcorp.yaml"),
    include_str!("../../../../localstack/estates/credentialmate.yaml"),
    include_str!("../../../../localstack/estates/secure-app.yaml"),
    include_str!("../../../../runbooks/region-failover.yaml"),
];

/// Words and signs that mean something to YAML, to expressions or to drctl.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "null", "~", "true", "false", "0", "-1", "9223372036854775807", "1e999", ".nan", ".inf", "0x1F", "1_000", "2026-03-01",
    "2026-03-01T10:00:00Z", "latest", "30m", "1d", "99999999999d", "''", "\"", "'", "\\", "\\u0000", "\u{0}", "\u{feff}", "\u{202e}",
    "\u{85}", "\u{2028}", "é", "e\u{301}", "値", "🦀", "👩\u{200d}👩\u{200d}👧", "\t", "\r", "\r\n", "\n", "\n\n", "  ", "    ", " ",
    "- ", "-", ": ", ":", "? ", "|", ">", ">-\n", "|2\n", "&a ", "*a", "<<: *a", "!!str ", "!x ", "%YAML 1.2\n", "---\n", "...\n",
    "#", " # ", "{", "}", "[", "]", ", ", "{}", "[]", "@", "`", "${{ ", " }}", "${{", "}}", "${{ params", "steps.", ".outputs.",
    "params.", "estate.databases", "env.name", "run.keep", "run.disaster_at", "each", "size(", "has(", "duration('1h')", "timestamp('",
    "int(", "double(", "string(", ".contains('a')", "startsWith(", "(", ")", " && ", " || ", " == ", " != ", " < ", " >= ", " in ",
    " + ", " - ", " * ", " / 0", " % ", "!", " ? ", " : ", "apiVersion", "drctl/v1", "kind: Runbook", "kind: Drill", "kind: Estate",
    "name", "steps", "id", "uses", "with", "needs", "when", "region", "for_each", "phase", "timeout", "retry", "attempts",
    "backoff", "on_failure", "always", "idempotent", "irreversible", "parameters", "type", "default", "choices", "required",
    "measure", "recovered", "recovery_point", "objectives", "databases", "environments", "account", "schedule", "estate", "runbook",
    "0 6 1 * *", "rds.check_source", "rds.restore_to_point_in_time", "rds.delete_instance", "sql.check", "sql.heartbeat", "gate.approve",
    "instance_or_latest", "list", "secret", "bool", "int", "float", "string", "instant", "restore", "check", "database",
];

/// Files as they should be, and examples of each mistake that has a code.
pub(super) fn seeds() -> Vec<String> {
    // Each several times: the examples are many, and short.
    let mut seeds: Vec<String> =
        SHIPPED.iter().cycle().take(6 * SHIPPED.len()).map(|text| (*text).to_owned()).collect();
    for (code, _) in CODES {
        let it = explanation(code).expect("every code is explained");
        seeds.extend([it.wrong, it.mended].map(|example| it.document.complete(example)));
    }
    seeds
}

/// The expressions of files, some with all that a scope has, and generated ones.
pub(super) fn expressions(seeds: &[String]) -> Vec<String> {
    let mut list: Vec<String> = [
        "has(estate.databases.orders) && !has(params.maybe) || params.flag",
        "size(params.words) + int('4') * -steps.a.outputs.n - size(params.word)",
        "double(params.count) / 2.5 <= params.ratio && steps.a.status != 'failed'",
        "estate.databases[params.word].port == 5432 || params.any == null || params.later",
    ]
    .map(str::to_owned)
    .into();
    let mut generator = Generator(fastrand::Rng::with_seed(1));
    list.extend((0..300).map(|_| generator.next()));
    for seed in seeds {
        for part in seed.split("${{").skip(1) {
            list.extend(part.split_once("}}").map(|(expression, _)| expression.trim().to_owned()));
        }
        let conditions = seed.lines().filter_map(|line| line.trim().strip_prefix("when: "));
        list.extend(conditions.map(str::to_owned));
    }
    list.sort();
    list.dedup();
    list
}

/// A source of changes that is the same for the same seed.
pub(super) struct Mutator {
    pub(super) random: fastrand::Rng,
}

impl Mutator {
    fn word(&mut self) -> &'static str {
        WORDS[self.random.usize(..WORDS.len())]
    }

    /// A place between two characters.
    fn place(&mut self, text: &str) -> usize {
        let mut at = self.random.usize(..=text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    /// A word, a run of signs or a run of blanks of the text.
    fn token(&mut self, text: &str) -> Range<usize> {
        let at = self.place(text);
        let class = |c: char| (c.is_alphanumeric() || c == '_', c.is_whitespace());
        let Some(first) = text[at..].chars().next().map(class) else { return at..at };
        let end = text[at..].find(|c| class(c) != first).map_or(text.len(), |length| at + length);
        let start = text[..at]
            .rfind(|c| class(c) != first)
            .map_or(0, |before| before + text[before..].chars().next().map_or(0, char::len_utf8));
        start..end
    }

    /// One to `most` changes; `other` is where pieces come from.
    pub(super) fn change(&mut self, text: &str, other: &str, most: u8) -> String {
        let mut text = text.to_owned();
        for _ in 0..self.random.u8(1..=most) {
            self.change_once(&mut text, other);
        }
        text
    }

    fn change_once(&mut self, text: &mut String, other: &str) {
        match self.random.u8(..12) {
            0 => text.insert_str(self.place(text), self.word()),
            1 | 2 => {
                let token = self.token(text);
                text.replace_range(token, self.word());
            }
            3 => {
                let (token, from) = (self.token(text), self.token(other));
                text.replace_range(token, &other[from]);
            }
            4 => {
                let token = self.token(text);
                text.replace_range(token, "");
            }
            5 => {
                let token = self.token(text);
                let word = text[token.clone()].to_owned();
                let misspelt: String = match self.random.u8(..3) {
                    0 => word.chars().skip(1).collect(),
                    1 => word.chars().rev().collect(),
                    _ => format!("{word}{word}"),
                };
                text.replace_range(token, &misspelt);
            }
            6 => {
                let (keep, from) = (self.place(text), self.place(other));
                text.truncate(keep);
                text.push_str(&other[from..]);
            }
            7 => {
                let (a, b) = (self.place(text), self.place(text));
                text.replace_range(a.min(b)..a.max(b), "");
            }
            8 => {
                let (a, b) = (self.place(text), self.place(text));
                let block = text[a.min(b)..a.max(b)].repeat(1 + self.random.usize(..4));
                text.insert_str(a, &block);
            }
            _ => self.change_lines(text, other),
        }
        if text.len() > 40_000 {
            text.truncate(self.place(&text[..20_000]));
        }
    }

    fn change_lines(&mut self, text: &mut String, other: &str) {
        let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        if lines.is_empty() {
            return;
        }
        let (at, to) = (self.random.usize(..lines.len()), self.random.usize(..lines.len()));
        match self.random.u8(..7) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(to, lines[at].clone()),
            2 => lines.swap(at, to),
            3 => lines[at] = format!("  {}", lines[at]),
            4 => lines[at] = lines[at].strip_prefix("  ").unwrap_or(&lines[at]).to_owned(),
            5 => lines[at] = lines[at].trim_end().to_owned(),
            _ => {
                let others: Vec<&str> = other.split_inclusive('\n').collect();
                let line = others.get(self.random.usize(..others.len().max(1)));
                lines.insert(at, line.copied().unwrap_or("").to_owned());
            }
        }
        *text = lines.concat();
    }

    /// The bytes of a file: mostly UTF-8, sometimes what editors and machines make of it.
    pub(super) fn bytes(&mut self, text: &str) -> Vec<u8> {
        match self.random.u8(..20) {
            0 => text.replace('\n', "\r\n").into_bytes(),
            1 => format!("\u{feff}{text}").into_bytes(),
            2 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            3 => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect(),
            4 => {
                let mut bytes = text.as_bytes().to_vec();
                for _ in 0..self.random.u8(1..4) {
                    let at = self.random.usize(..=bytes.len());
                    bytes.insert(at, self.random.u8(..));
                }
                bytes
            }
            _ => text.as_bytes().to_vec(),
        }
    }
}
