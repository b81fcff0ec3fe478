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
