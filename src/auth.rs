//! API keys: who may read and change stored results, and, where keys are required, who may predict.
//!
//! The server holds no key, only SHA-256 hashes: keys are 256 random bits, so a hash without salt and stretching tells
//! nothing. A key appears once, on the screen of `augur keygen`.

mod file;
mod keys;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};

pub use keys::Keys;

/// `auth.*`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthSettings {
    /// The file of keys; empty: there are none, and what needs one is closed.
    pub keys_file: PathBuf,
    /// Whether predictions need a key, too.
    pub require_for_predict: bool,
}

impl AuthSettings {
    /// Checks what types cannot.
    ///
    /// # Errors
    /// One sentence that says what to change.
    pub fn validate(&self) -> Result<(), String> {
        if self.require_for_predict && self.keys_file.as_os_str().is_empty() {
            return Err("auth.require_for_predict is true, but auth.keys_file is not set, so nobody could predict: \
                        name a file of keys (`augur keygen` makes its lines)"
                .into());
        }
        Ok(())
    }
}

/// What a key is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Reading stored results.
    ResultsRead,
    /// Making, replacing and removing them.
    ResultsWrite,
    /// Predicting, where that needs a key.
    Predict,
}

impl Scope {
    const ALL: [Self; 3] = [Self::ResultsRead, Self::ResultsWrite, Self::Predict];

    /// As the keys file has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ResultsRead => "results:read",
            Self::ResultsWrite => "results:write",
            Self::Predict => "predict",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|scope| scope.name() == text);
        known.ok_or_else(|| format!("a scope is one of {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// Whose key it is: what logs may tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The name in the keys file.
    pub name: String,
    /// The first 8 hexadecimal digits of the key's hash.
    pub id: String,
    scopes: Vec<Scope>,
}

impl Holder {
    /// Whether the key is good for this.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }
}

/// The SHA-256 of a key.
type Hash = [u8; 32];

fn hash(key: &str) -> Hash {
    Sha256::digest(key.as_bytes()).into()
}

/// A new key and the line of the keys file that admits it.
pub struct NewKey {
    /// For its holder; stored nowhere.
    pub key: SecretString,
    /// For the file.
    pub line: String,
}

/// Makes a key of 256 bits from the system's random numbers.
///
/// # Errors
/// Where the name or the scopes are none, or the system has no random numbers.
pub fn generate(name: &str, scopes: &[Scope]) -> anyhow::Result<NewKey> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| anyhow::anyhow!("no random numbers are to be had: {error}"))?;
    // A prefix by which a key that went astray is found.
    let key = SecretString::from(format!("augur_{}", URL_SAFE_NO_PAD.encode(secret)));
    let line = file::line(name, scopes, &hash(key.expose_secret())).map_err(anyhow::Error::msg)?;
    Ok(NewKey { key, line })
}
