//! The files of a new project.
//!
//! **Invariant:** they are valid, fit each other, and run on the simulator; tests do all of it.

/// Names relative to the project, and texts.
pub(super) const FILES: [(&str, &str); 5] = [
    ("drctl.yaml", include_str!("project/drctl.yaml")),
    ("estates/shop.yaml", include_str!("project/estates/shop.yaml")),
    ("runbooks/restore-app.yaml", include_str!("project/runbooks/restore-app.yaml")),
    ("drills/restore-app.yaml", include_str!("project/drills/restore-app.yaml")),
    ("README.md", include_str!("project/README.md")),
];
