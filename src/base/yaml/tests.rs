//! YAML: places, hostile input, readers of fields.

use super::*;

#[test]
fn every_key_and_value_knows_its_place() {
    let node =
        parse("a.yaml", "name: x\nsteps:\n  - id: a\n    when: ${{ 1 < 2 }}\n").expect("valid");
    let Kind::Map(entries) = &node.kind else { panic!("a map") };
    let (key, steps) = &entries[1];
    assert_eq!((key.span.line, key.span.column), (2, 1));
    let Kind::List(items) = &steps.kind else { panic!("a list") };
    let Kind::Map(step) = &items[0].kind else { panic!("a map") };
    assert_eq!((step[1].1.span.line, step[1].1.span.column), (4, 11));
    assert_eq!(step[1].1.kind, Kind::Text("${{ 1 < 2 }}".to_owned()));
}

#[test]
fn broken_yaml_has_a_place() {
    for (text, line) in [
        ("a: 1\nb: [1, 2\n", 3),
        ("a: 1\na: 2\n", 2),
        ("a: *nowhere\n", 1),
        ("a: 1\n---\nb: 2\n", 3),
    ] {
        let problems = parse("a.yaml", text).expect_err(text);
        let shown = problems.to_string();
        let found = problems.sorted()[0].span.line;
        assert!(found <= line && found >= 1, "{text:?}: {shown}");
    }
}

#[test]
fn hostile_input_is_refused() {
    let deep = "[".repeat(10_000);
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for level in 1..12 {
        let alias = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![alias; 10].join(",")));
    }
    for text in [deep.as_str(), bomb.as_str(), "a: \0\n", "a: !!binary x"] {
        assert!(
            parse("a.yaml", text).is_err() || text.contains("binary"),
            "{}",
            &text[..text.len().min(40)]
        );
    }
}

#[test]
fn only_true_and_false_are_booleans() {
    let node = parse("a.yaml", "[no, y, on, Off, true]").expect("valid");
    let Kind::List(items) = node.kind else { panic!("a list") };
    let texts = items.iter().filter(|item| matches!(item.kind, Kind::Text(_))).count();
    assert_eq!((texts, &items[4].kind), (4, &Kind::Bool(true)));
}

#[test]
fn fields_report_all_problems_at_once() {
    let node = parse("a.yaml", "name: 5\ntimeot: 30m\n").expect("valid");
    let mut problems = Problems::of("a.yaml");
    let mut fields = Fields::of(&node, "the runbook", &mut problems);
    assert_eq!(fields.required_text("name", &mut problems), None);
    assert_eq!(fields.duration("timeout", &mut problems), None);
    assert!(fields.required("steps", &mut problems).is_none());
    fields.finish(&mut problems);
    let codes: Vec<&str> = problems.sorted().iter().map(|problem| problem.code).collect();
    assert_eq!(codes, ["DR003", "DR004", "DR005"]);
    assert!(problems.to_string().contains("did you mean `timeout`?"));
}
