//! Shell variables for what is not known when a document is made.
//!
//! **Invariant:** one name means one thing; every name that a command uses is explained.

use std::collections::BTreeMap;

/// Names that mean something to shells or to the AWS CLI.
const TAKEN: [&str; 12] = [
    "PATH", "HOME", "USER", "SHELL", "PWD", "IFS", "LANG", "TERM", "HOSTNAME", "SECONDS", "RANDOM",
    "EACH",
];

/// A variable that the reader sets before the commands that use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Whether it is a list: an array of the shell.
    pub list: bool,
    /// What it is and where its value comes from.
    pub why: String,
}

/// All variables of one document, in order of their first use.
#[derive(Debug, Default)]
pub(super) struct Names {
    variables: Vec<Variable>,
    /// The variable of each source text.
    known: BTreeMap<String, usize>,
}

impl Names {
    /// The variable for `source`, which has the first free one of the names `wanted`.
    pub(super) fn of(
        &mut self,
        source: &str,
        wanted: [&str; 2],
        list: bool,
        why: impl FnOnce() -> String,
    ) -> String {
        if let Some(at) = self.known.get(source) {
            return self.variables[*at].name.clone();
        }
        let [short, long] = wanted.map(shell_name);
        let numbered = (2..).map(|number| format!("{long}_{number}"));
        let free = |name: &String| {
            !TAKEN.contains(&name.as_str())
                && !name.starts_with("AWS_")
                && self.variables.iter().all(|it| it.name != *name)
        };
        let name = [short, long.clone()].into_iter().chain(numbered).find(free);
        let name = name.expect("numbers do not end");
        self.known.insert(source.to_owned(), self.variables.len());
        self.variables.push(Variable { name: name.clone(), list, why: why() });
        name
    }

    /// Whether the variable is a list.
    pub(super) fn is_list(&self, name: &str) -> bool {
        self.variables.iter().any(|it| it.name == name && it.list)
    }

    /// All of them.
    pub(super) fn into_variables(self) -> Vec<Variable> {
        self.variables
    }
}

fn shell_name(text: &str) -> String {
    let letters = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    letters.collect::<String>().to_ascii_uppercase()
}
