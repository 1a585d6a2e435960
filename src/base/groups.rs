//! Long lists of steps, as people read them at three in the morning.
//!
//! **Invariant:** every step is counted, in one group; groups come in the order of their first steps.

use crate::base::ids::{StepKey, joined};

/// Steps that a list names as one: the items of an expanded step, the steps of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    name: String,
    first: StepKey,
    /// How many steps it stands for.
    pub steps: usize,
}

impl Group {
    /// `promote`, and of several `scale_up (15)`.
    pub fn text(&self) -> String {
        match self.steps {
            1 => self.first.to_string(),
            several => format!("{} ({several})", self.name),
        }
    }
}

/// Puts together what belongs together, as seen from within the call `frame`; from the run itself it is
/// empty.
pub fn grouped<'a>(keys: impl IntoIterator<Item = &'a StepKey>, frame: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for key in keys {
        let frame = if key.is_within(frame) { frame } else { "" };
        let id = key.id();
        let local = id.strip_prefix(frame).unwrap_or(id).trim_start_matches('/');
        let name = joined(frame, local.split('/').next().unwrap_or(local));
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.steps += 1,
            None => groups.push(Group { name, first: key.clone(), steps: 1 }),
        }
    }
    groups
}

/// At most `most` groups with commas between them, `… and 12 more` for the other steps; `nothing` for none.
pub fn listed<'a>(keys: impl IntoIterator<Item = &'a StepKey>, most: usize) -> String {
    let groups = grouped(keys, "");
    if groups.is_empty() {
        return "nothing".to_owned();
    }
    let mut texts: Vec<String> = groups.iter().take(most).map(Group::text).collect();
    let more: usize = groups.iter().skip(most).map(|group| group.steps).sum();
    if more > 0 {
        texts.push(format!("and {more} more"));
    }
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(names: &str) -> Vec<StepKey> {
        names.split(' ').map(StepKey::new).collect()
    }

    #[test]
    fn items_and_steps_of_calls_are_told_together() {
        let all = keys("a scale[web] scale[api] go/decide go/tell go other/deep/x[1] last");
        assert_eq!(listed(&all, 9), "a, scale (2), go (3), other/deep/x[1], last");
        assert_eq!(listed(&all, 2), "a, scale (2), and 5 more");
        assert_eq!(listed(&[], 2), "nothing");
    }

    #[test]
    fn who_reads_within_a_call_sees_its_steps_apart() {
        let all = keys("go/decide go/more/x go/more/y go after[1] after[2] gopher");
        let texts =
            |frame: &str| -> Vec<String> { grouped(&all, frame).iter().map(Group::text).collect() };
        assert_eq!(texts("go"), ["go/decide", "go/more (2)", "go", "after (2)", "gopher"]);
        assert_eq!(texts(""), ["go (4)", "after (2)", "gopher"]);
    }
}
