//! The parts that charts share: places as text, shortened labels, hatching.
//!
//! **Invariant:** labels are short and on one line, whatever a title holds.

use maud::{Markup, html};

/// Most characters of a label: what fits a phone beside a duration.
const LABEL: usize = 30;

/// Blue of finished work; it and the others are told apart by people who see no red or no green.
pub const BLUE: &str = "#0072b2";
/// Sky blue of work that goes on.
pub const SKY: &str = "#56b4e9";
/// Orange-red of failures, always hatched as well.
pub const RED: &str = "#d55e00";
/// Grey of what is not counted.
pub const GREY: &str = "#8a8a8a";

/// A share of the width as a place: `12.34%`. Integers only, so that every machine writes the same.
pub fn percent(part: u64, whole: u64) -> String {
    let hundredths = u128::from(part.min(whole)) * 10_000 / u128::from(whole.max(1));
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

/// The width between two places, never too thin to see.
pub fn span(from: u64, to: u64, whole: u64) -> (String, String) {
    let (from, to) = (from.min(whole), to.min(whole).max(from));
    let least = whole / 250;
    let from = from.min(whole.saturating_sub(least));
    (percent(from, whole), percent((to - from).max(least), whole))
}

/// A text short enough to stand beside a bar.
pub fn label(text: &str) -> String {
    let plain = plain_text(text);
    if plain.chars().count() <= LABEL {
        return plain;
    }
    let cut: String = plain.chars().take(LABEL - 1).collect();
    format!("{}…", cut.trim_end())
}

/// A text on one line, without characters that command a terminal or turn the direction of writing.
pub fn plain_text(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if c.is_control() || turns(c) { ' ' } else { c }).collect()
}

/// Hatching for failures; `id` is unique in the page.
pub fn hatching(id: &str) -> Markup {
    html! {
        defs {
            pattern id=(id) width="6" height="6" patternUnits="userSpaceOnUse"
                patternTransform="rotate(45)" {
                rect width="6" height="6" fill="#ffffff" {}
                rect width="3.5" height="6" fill=(RED) {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_exact_and_within_the_chart() {
        assert_eq!(percent(1, 3), "33.33%");
        assert_eq!(percent(5, 0), "0.00%");
        assert_eq!(percent(9, 3), "100.00%");
        assert_eq!(percent(u64::MAX, u64::MAX), "100.00%");
        assert_eq!(span(1_000, 1_000, 1_000), ("99.60%".to_owned(), "0.40%".to_owned()));
        assert_eq!(span(0, 500, 1_000), ("0.00%".to_owned(), "50.00%".to_owned()));
    }

    #[test]
    fn labels_are_one_short_line() {
        assert_eq!(label("a\nb\u{1b}[31m"), "a b [31m");
        assert_eq!(label(&"é".repeat(10_000)).chars().count(), 30);
    }
}
