//! The model of problems, and how they are drawn.

use super::*;

#[test]
fn shows_in_file_order_with_help() {
    let mut problems = Problems::of("a.yaml");
    problems
        .error("DR002", Span { line: 7, column: 3, start: 90, end: 95 }, "unknown field `x`")
        .help("remove it");
    problems.warning("DR001", Span { line: 2, column: 1, start: 5, end: 9 }, "unused");
    let text = problems.to_string();
    assert_eq!(
        text,
        "a.yaml:2:1: warning[DR001]: unused\na.yaml:7:3: error[DR002]: unknown field `x`\n  help: remove it\n"
    );
    assert!(problems.has_errors());
}

#[test]
fn suggests_only_what_is_near() {
    let words = ["restore", "verify", "cleanup"];
    assert_eq!(nearest("restor", words), Some("restore"));
    assert_eq!(nearest("veryfi", words), Some("verify"));
    assert_eq!(nearest("failover", words), None);
    assert_eq!(nearest("cuont", ["word", "count"]), Some("count"));
    assert_eq!(nearest("", ["a"]), Some("a"));
}

/// The only problem of `text`, at the bytes of `part` in it, as a terminal without colours shows it.
fn drawn(text: &str, part: &str) -> String {
    let at = text.find(part).expect("it is in the text");
    drawn_at(text, at, part.len())
}

fn drawn_at(text: &str, at: usize, length: usize) -> String {
    let mut problems = Problems::in_text("a.yaml", text);
    let span = Span { end: at + length, ..place_of(text, at) };
    problems.error("DR004", span, "this is wrong").help("do that");
    plain(&problems)
}

fn plain(problems: &Problems) -> String {
    let drawn = draw(problems, Shown::default());
    let text = anstream::adapter::strip_str(&drawn).to_string();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

#[test]
fn a_problem_is_drawn_with_its_line() {
    assert_eq!(
        drawn("name: x\nsteps:\n  - id: Check\n", "Check"),
        "error[DR004]: this is wrong
 --> a.yaml:3:9
  |
3 |   - id: Check
  |         ^^^^^
  |
  = help: do that"
    );
}

/// The line below the source line marks the same columns, whatever stands before them.
#[test]
fn carets_stand_below_what_they_mark() {
    for (text, part, line, carets) in [
        ("a: 1\r\nb: xyz\r\nc: 1\r\n", "xyz", "2 | b: xyz", "  |    ^^^"),
        ("a: 1\rb: xyz\rc: 1\r", "xyz", "2 | b: xyz", "  |    ^^^"),
        ("b:\txyz\n", "xyz", "1 | b:    xyz", "  |       ^^^"),
        ("größe: müll\n", "müll", "1 | größe: müll", "  |        ^^^^"),
        ("名前: 値段\n", "値段", "1 | 名前: 値段", "  |       ^^^^"),
        ("a: 'x\n  y'\nb: 1\n", "'x\n  y'", "1 | a: 'x", "  |    ^^"),
    ] {
        let shown = drawn(text, part);
        let lines: Vec<&str> = shown.lines().collect();
        let Span { line: number, column, .. } = place_of(text, text.find(part).expect("is"));
        assert_eq!(lines[1], format!(" --> a.yaml:{number}:{column}"));
        assert_eq!((lines[3], lines[4]), (line, carets), "{shown}");
    }
}

#[test]
fn the_end_of_a_line_and_of_a_file_can_be_marked() {
    for (text, at, line, carets) in [
        ("a: [1\n", 5, "1 | a: [1", "  |      ^"),
        ("a: [1", 5, "1 | a: [1", "  |      ^"),
        ("a: 1\n\n", 5, "2 |", "  | ^"),
    ] {
        let shown = drawn_at(text, at, 0);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!((lines[3], lines[4]), (line, carets), "{shown}");
    }
    let shown = drawn_at("", 0, 0);
    assert_eq!(shown, "error[DR004]: this is wrong\n--> a.yaml:1:1\n = help: do that");
}

#[test]
fn places_that_do_not_exist_lose_the_snippet_only() {
    for span in [
        Span::default(),
        Span { line: 9, column: 9, start: 900, end: 950 },
        Span { line: 1, column: 1, start: 1, end: 2 },
        Span { line: 1, column: 1, start: 3, end: 1 },
    ] {
        let mut problems = Problems::in_text("a.yaml", "ä: ö\n");
        problems.error("DR004", span, "this is wrong");
        let shown = plain(&problems);
        assert!(shown.starts_with("error[DR004]: this is wrong\n"), "{shown}");
        assert!(shown.contains("--> a.yaml"), "{shown}");
    }
}

#[test]
fn a_long_line_is_cut_around_the_mark() {
    let text = format!("a: {}HERE{}\n", "ü".repeat(100_000), "x".repeat(4_000_000));
    let shown = drawn(&text, "HERE");
    assert!(shown.contains("a.yaml:1:100004"), "{shown}");
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines.iter().all(|line| line.chars().count() <= 110), "{shown}");
    let column = |line: &str, of: &str| line.find(of).map(|at| line[..at].chars().count());
    assert!(column(lines[3], "HERE").is_some(), "{shown}");
    assert_eq!(column(lines[3], "HERE"), column(lines[4], "^^^^"), "{shown}");
}

#[test]
fn several_problems_of_one_line_are_drawn_apart() {
    let text = "a: { b: 1, c: 2 }\n";
    let mut problems = Problems::in_text("a.yaml", text);
    for part in ["c", "b"] {
        let at = text.find(part).expect("is there");
        let span = Span { end: at + 1, ..place_of(text, at) };
        problems.error("DR005", span, format!("no field `{part}`"));
    }
    let shown = plain(&problems);
    assert_eq!(shown.matches("1 | a: { b: 1, c: 2 }").count(), 2, "{shown}");
    assert!(shown.find("a.yaml:1:6") < shown.find("a.yaml:1:12"), "{shown}");
}

#[test]
fn thousands_of_problems_are_counted_and_not_all_shown() {
    let mut problems = Problems::in_text("a.yaml", "a: 1\n");
    for _ in 0..5_000 {
        problems.error("DR005", place_of("a: 1\n", 0), "no");
    }
    problems.warning("DR050", Span::default(), "late");
    assert_eq!(problems.sorted().len(), MAX_KEPT);
    assert_eq!((problems.count(Severity::Error), problems.count(Severity::Warning)), (5_000, 1));
    let shown = plain(&problems);
    assert_eq!(shown.matches("error[DR005]").count(), 50);
    assert!(shown.ends_with("… and 4951 more problems in a.yaml"), "{shown}");
}

#[test]
fn an_error_counts_when_it_is_not_kept() {
    let mut problems = Problems::of("a.yaml");
    for _ in 0..MAX_KEPT {
        problems.warning("DR050", Span::default(), "no");
    }
    assert!(!problems.has_errors());
    problems.error("DR005", Span::default(), "late");
    assert!(problems.has_errors());
}

#[test]
fn text_of_the_file_does_not_steer_the_terminal() {
    let text = "a: \u{1b}[2Jx\u{7}\u{202e}y\u{9b}2J\u{85}\n";
    let mut problems = Problems::in_text("a\u{1b}[2J.yaml", text);
    let span = Span { end: text.len(), ..place_of(text, 3) };
    problems.error("DR004", span, "wrong: \u{1b}[2J").help("not \u{9b}2J");
    let shown = plain(&problems);
    assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
    assert!(!shown.contains('\u{202e}'), "{shown:?}");
}

#[test]
fn replacements_keep_quotes_and_never_replace_more_than_the_word() {
    for (written, replacement) in [
        ("restor", Some("restore")),
        ("'restor'", Some("'restore'")),
        ("\"restor\"", Some("\"restore\"")),
        ("steps.restor.outputs.x", None),
        ("'", None),
    ] {
        let text = format!("a: {written}\n");
        let mut problems = Problems::in_text("a.yaml", &text);
        let span = Span { end: 3 + written.len(), ..place_of(&text, 3) };
        problems.error("DR012", span, "no").help("did you mean `restore`?");
        let found = problems.replacement(problems.sorted()[0]);
        assert_eq!(found.as_deref(), replacement, "{written}");
    }
}

#[test]
fn ends_are_counted_in_characters() {
    let text = "a: 'müll\n  größe'\n";
    let problems = Problems::in_text("a.yaml", text);
    let span = Span { end: text.len() - 1, ..place_of(text, 3) };
    assert_eq!(problems.end_of(span), (2, 9));
    assert_eq!(problems.end_of(Span { end: 8, ..span }), (1, 8));
}

#[test]
fn lines_end_as_in_yaml() {
    for (text, ends, rest) in [
        ("", 0, ""),
        ("a", 0, "a"),
        ("a\nb", 1, "b"),
        ("a\r\nb", 1, "b"),
        ("a\rb", 1, "b"),
        ("a\r\rb\n", 3, ""),
    ] {
        assert_eq!(lines_of(text), (ends, rest), "{text:?}");
    }
    let problems = Problems::in_text("a.yaml", "a: 'x\r  y'\r");
    let span = Span { end: 10, ..place_of("a: 'x\r  y'\r", 3) };
    assert_eq!(problems.end_of(span), (2, 5));
}
