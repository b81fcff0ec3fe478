//! What a look at the table, and at the database around it, finds: one line each, with the remedy.

use std::fmt;

/// What is said of the table of pictures' labels beside the first one.
pub(super) const IMAGES: &str = "image table";

/// How one check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It could not be looked at; the text says why.
    Skipped,
    /// It works, but not as well as it could.
    Warning,
    /// It does not work.
    Failed,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
            Self::Failed => "failed",
        })
    }
}

/// One check and how it came out. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub about: &'static str,
    /// How it came out.
    pub verdict: Verdict,
    /// What was found and, where that is not good, what to do.
    pub text: String,
}

impl Check {
    /// As it should be.
    #[must_use]
    pub fn ok(about: &'static str, text: impl Into<String>) -> Self {
        Self { about, verdict: Verdict::Ok, text: text.into() }
    }

    /// Could not be looked at, for this reason.
    #[must_use]
    pub fn skipped(about: &'static str, text: impl Into<String>) -> Self {
        Self { about, verdict: Verdict::Skipped, text: text.into() }
    }

    /// Works, but not as well as it could.
    #[must_use]
    pub fn warning(about: &'static str, text: impl Into<String>) -> Self {
        Self { about, verdict: Verdict::Warning, text: text.into() }
    }

    /// Does not work.
    #[must_use]
    pub fn failed(about: &'static str, text: impl Into<String>) -> Self {
        Self { about, verdict: Verdict::Failed, text: text.into() }
    }

    /// The checks of a further thing under its name: those that are not ok, or one that says that all is.
    pub(super) fn gathered(about: &'static str, checks: Vec<Self>) -> Vec<Self> {
        let (good, lacking): (Vec<Self>, Vec<Self>) =
            checks.into_iter().partition(|check| check.verdict == Verdict::Ok);
        if lacking.is_empty() {
            let looked_at: Vec<&str> = good.iter().map(|check| check.about).collect();
            return vec![Self::ok(about, format!("as it should be: {}", looked_at.join(", ")))];
        }
        lacking
            .into_iter()
            .map(|check| Self { about, text: format!("{}: {}", check.about, check.text), ..check })
            .collect()
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<7}  {}: {}", self.verdict, self.about, self.text)
    }
}

/// What the table is to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Longest key, in bytes.
    pub max_key_bytes: usize,
    /// `name@version` of the model in use, where it is known.
    pub model: Option<String>,
}

impl Expected {
    /// What the image table is to hold: digests of SHA-256 in hexadecimal.
    #[must_use]
    pub fn of_images(model: Option<String>) -> Self {
        const DIGEST_DIGITS: usize = 64;
        Self { max_key_bytes: DIGEST_DIGITS, model }
    }

    /// Whether a model column of this width is too narrow.
    pub(super) fn model_check(&self, about: &'static str, (width, unit): (usize, &str)) -> Check {
        match &self.model {
            Some(model) if model.len() > width => Check::failed(
                about,
                format!(
                    "takes {width} {unit}, but the model is called {model}: no prediction could be stored; make it VARCHAR2(200)"
                ),
            ),
            _ => Check::ok(about, format!("takes {width} {unit}")),
        }
    }
}
