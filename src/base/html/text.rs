//! Text from journals and files, made fit for a page.
//!
//! **Invariant:** no control character leaves here, and no text is longer than its limit without
//! saying by how much.

use crate::base::clock::format_instant;
use chrono::{DateTime, Utc};
use maud::{Markup, html};

/// Most characters of one text. Error messages of AWS have hundreds.
const LONGEST: usize = 1_200;

/// Most characters of a heading.
const HEADING: usize = 240;

/// A text in a direction of its own, whatever stands around it.
pub fn shown(text: &str) -> Markup {
    html! { bdi { (clean(text, LONGEST)) } }
}

/// A text that is a heading or a title.
pub fn heading(text: &str) -> Markup {
    html! { bdi { (clean(text, HEADING)) } }
}

/// A title as plain text, for the page's title.
pub fn plain(text: &str) -> String {
    clean(text, HEADING)
}

/// A sentence as plain text, for forms that escape it themselves.
pub fn words(text: &str) -> String {
    clean(text, LONGEST)
}

/// An identifier, a digest, a command.
pub fn code(text: &str) -> Markup {
    html! { code { (clean(text, LONGEST)) } }
}

/// An instant, or the sign for none.
pub fn instant(at: Option<DateTime<Utc>>) -> Markup {
    html! {
        @match at {
            Some(at) => { time datetime=(format_instant(at)) { (format_instant(at)) } }
            None => { "–" }
        }
    }
}

fn clean(text: &str, longest: usize) -> String {
    let mut shown = String::new();
    let mut characters = text.chars();
    for c in characters.by_ref().take(longest) {
        match c {
            '\n' | '\t' | '\r' => shown.push(' '),
            // Marks that turn the direction of what follows could make a page say the opposite.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => shown.push('\u{fffd}'),
            c if c.is_control() => shown.push('\u{fffd}'),
            c => shown.push(c),
        }
    }
    let more = characters.count();
    if more > 0 {
        shown.push_str(&format!("… ({more} more characters)"));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_turned_text_are_shown_as_such() {
        let text = shown("a\u{0}b\u{1b}[31m\nc\u{202e}d").into_string();
        assert_eq!(text, "<bdi>a\u{fffd}b\u{fffd}[31m c\u{fffd}d</bdi>");
        assert_eq!(code("<script>\"").into_string(), "<code>&lt;script&gt;&quot;</code>");
    }

    #[test]
    fn long_texts_are_cut_and_say_so() {
        let text = heading(&"x".repeat(10_000)).into_string();
        assert!(text.contains("… (9760 more characters"), "{text}");
        assert!(text.len() < 400);
    }
}
