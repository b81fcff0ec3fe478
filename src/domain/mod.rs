//! The words every floor shares: keys, outcomes, stored results and pictures. Parsed at the door, then never wrong.

mod explanation;
mod key;
mod outcome;
mod picture;

pub use explanation::{Contribution, Explanation, Link};
pub use key::{Key, KeyError};
pub use outcome::{Number, Outcome};
pub use picture::{Picture, PictureError, Score};

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // writing into a String cannot fail
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What stands in the MODEL column of rows that a person wrote.
pub const MANUAL: &str = "manual";

/// A row of the result table.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredResult {
    /// The key the result belongs to.
    pub key: Key,
    /// What is stored, as the next hit will return it.
    pub outcome: Outcome,
    /// `name@version` of the model that made it; `None` for rows of other programs.
    pub model: Option<String>,
    /// When the row was written, RFC 3339 in UTC with microseconds; `None` where the table does not say.
    pub created_at: Option<String>,
}

/// A row that is to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct NewResult {
    /// The key the result belongs to.
    pub key: Key,
    /// The value to store.
    pub outcome: Outcome,
    /// `name@version` of the model that made it.
    pub model: Option<String>,
}

/// What makes a value belong to a model: `name@version`, as the MODEL column and the `Augur-Model` header hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelVersion(String);

impl ModelVersion {
    /// Joins a model's name and its version.
    #[must_use]
    pub fn new(name: &str, version: &str) -> Self {
        Self(format!("{name}@{version}"))
    }

    /// Whether what MODEL says of a row makes it one of an older version of this model. Versions begin with their time in
    /// UTC, so they order by their text. Rows without a model, corrections, and those of other models are never older.
    #[must_use]
    pub fn succeeds(&self, row: Option<&str>) -> bool {
        let (name, version) = self.parts();
        row.and_then(|row| row.rsplit_once('@')).is_some_and(|(its_name, its)| its_name == name && its < version)
    }

    /// The name in what MODEL says of a row; `None` where that is no `name@version`.
    #[must_use]
    pub fn name_in(row: &str) -> Option<&str> {
        row.rsplit_once('@').map(|(name, _)| name)
    }

    /// The version without the model's name.
    #[must_use]
    pub fn version(&self) -> &str {
        self.parts().1
    }

    fn parts(&self) -> (&str, &str) {
        // A name may hold an `@`, a version never does.
        self.0.rsplit_once('@').unwrap_or(("", &self.0))
    }

    /// The text `name@version`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ModelVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_older_version_of_the_same_model_is_succeeded() {
        let model = ModelVersion::new("url", "20261123T150102Z-0123456789ab");
        for (row, succeeded) in [
            (Some("url@20261123T150101Z-ffffffffffff"), true),
            (Some("url@20251123T150102Z-0123456789ab"), true),
            (Some("url@20261123T150102Z-0123456789ab"), false),
            (Some("url@20261123T150103Z-000000000000"), false),
            (Some("other@20251123T150102Z-0123456789ab"), false),
            (Some("a@url@20251123T150102Z-0123456789ab"), false),
            (Some(MANUAL), false),
            (Some("20251123T150102Z-0123456789ab"), false),
            (Some(""), false),
            (None, false),
        ] {
            assert_eq!(model.succeeds(row), succeeded, "{row:?}");
        }
    }
}
