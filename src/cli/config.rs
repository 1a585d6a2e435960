//! `drctl.yaml`, the configuration of a project.
//!
//! **Invariant:** everything in it can also be said in the environment, which wins.

use crate::base::diagnostic::Problems;
use crate::base::shape::{FieldShape, Is, Shape};
use crate::base::yaml::{self, Fields};
use crate::cli::shared::{self, JOURNAL, JournalConfig};
use crate::estate::{API_VERSION, header};
use std::path::{Path, PathBuf};

/// What a project configures.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Config {
    /// Where state is kept, relative to the project; `DRCTL_STATE_DIR` wins.
    pub(super) state_dir: Option<PathBuf>,
    /// Where journals are kept that a team shares; `DRCTL_JOURNAL` wins.
    pub(super) journal: Option<JournalConfig>,
}

/// What the file looks like.
pub(super) static CONFIG: Shape = Shape {
    summary: "The configuration of a project.",
    fields: &[
        API_VERSION,
        FieldShape::required("kind", Is::Exactly("Config"), "What the file is."),
        FieldShape::optional(
            "state_dir",
            Is::Text,
            "Where state is kept, relative to the project; DRCTL_STATE_DIR wins.",
        ),
        FieldShape::optional(
            "journal",
            Is::Record(&JOURNAL),
            "Where journals are kept that a team shares; DRCTL_JOURNAL wins.",
        ),
    ],
    cases: None,
};

/// Reads the configuration in `text`, which came from the file called `file` in the project `root`.
pub(super) fn load(root: &Path, file: &str, text: &str) -> Result<Config, Problems> {
    let node = yaml::parse(file, text)?;
    let mut problems = Problems::in_text(file, text);
    let mut fields = Fields::of(&node, "a configuration", &mut problems).shaped(&CONFIG);
    header(&mut fields, "Config", &mut problems);
    let state_dir = fields.text("state_dir", &mut problems).map(|path| root.join(path));
    let journal = fields.node("journal");
    let journal = journal.and_then(|node| shared::read(node, &mut problems));
    fields.finish(&mut problems);
    if problems.has_errors() { Err(problems) } else { Ok(Config { state_dir, journal }) }
}

#[cfg(test)]
mod tests {
    use super::{Config, load};
    use std::path::Path;

    #[test]
    fn paths_are_relative_to_the_project() {
        let text = "apiVersion: drctl/v1\nkind: Config\nstate_dir: .state\n";
        let config = load(Path::new("/project"), "drctl.yaml", text);
        let state_dir = Some("/project/.state".into());
        assert_eq!(config, Ok(Config { state_dir, journal: None }));
    }

    #[test]
    fn a_shared_journal_names_its_place() {
        let read = |journal: &str| {
            let text = format!("apiVersion: drctl/v1\nkind: Config\njournal: {journal}\n");
            load(Path::new("/"), "drctl.yaml", &text)
        };
        let config = read("{ store: 's3://acme/dr', region: eu-west-1, profile: dr }").unwrap();
        let journal = config.journal.unwrap();
        assert_eq!((journal.store.as_str(), journal.endpoint), ("s3://acme/dr", None));
        assert_eq!(journal.region.as_deref(), Some("eu-west-1"));
        for (bad, said) in [
            ("{ region: eu-west-1 }", "store"),
            ("{ store: 's3://acme', bucket: x }", "bucket"),
            ("s3://acme/dr", "a shared journal"),
            ("{ store: 3 }", "store"),
        ] {
            let shown = read(bad).expect_err("invalid").to_string();
            assert!(shown.contains(said), "{bad}: {shown}");
        }
    }

    #[test]
    fn problems_have_places() {
        let text = "apiVersion: drctl/v1\nkind: Config\nstate: .state\n";
        let shown = load(Path::new("/"), "drctl.yaml", text).expect_err("invalid").to_string();
        assert!(shown.starts_with("drctl.yaml:3:1: error[DR005]"), "{shown}");
        assert!(shown.contains("state_dir"), "{shown}");
    }
}
