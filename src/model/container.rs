//! Container: what every model file has around its body, so that a damaged file or another build's is refused.
//!
//! ```text
//! offset  bytes  what
//!      0      8  magic "AUGURMDL"
//!      8      4  format version, u32 little-endian
//!     12      2  schema version: of the features that the model reads, u16 little-endian
//!     14      2  kind of model: 0 of URLs, 1 of pictures, u16 little-endian
//!     16      8  length of the body in bytes, u64 little-endian
//!     24      n  body: postcard (floats bit for bit, which JSON does not promise)
//!   24+n     32  SHA-256 of everything before it
//! ```
//! Magic, versions, length and the closing checksum keep their places in every format version, so that a file from
//! another version is told apart from a damaged one.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::ArtifactError;
use crate::domain::hex;

const MAGIC: &[u8; 8] = b"AUGURMDL";
/// Version of the layout above.
pub(super) const FORMAT_VERSION: u32 = 1;
pub(super) const HEADER_BYTES: usize = 24;
pub(super) const CHECKSUM_BYTES: usize = 32;
/// Digits of the content hash in a version: 48 bits tell the models of one server apart.
const HASH_DIGITS: usize = 12;

/// Which models a body is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Schema {
    /// What the model reads.
    pub(super) kind: Kind,
    /// Version of the features it reads.
    pub(super) version: u16,
}

/// What a model reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Urls = 0,
    Pictures = 1,
}

impl Schema {
    /// Bytes 12 to 16.
    fn to_bytes(self) -> [u8; 4] {
        let ([v0, v1], [k0, k1]) = (self.version.to_le_bytes(), (self.kind as u16).to_le_bytes());
        [v0, v1, k0, k1]
    }
}

/// The file's bytes around `body`.
pub(super) fn seal(schema: Schema, body: &impl Serialize) -> Result<Vec<u8>, ArtifactError> {
    let body = to_postcard(body)?;
    let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len() + CHECKSUM_BYTES);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes.extend_from_slice(&schema.to_bytes());
    bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&body);
    let checksum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&checksum);
    Ok(bytes)
}

/// The body of a file; the caller still has to check what it says.
pub(super) fn open<T: DeserializeOwned>(schema: Schema, bytes: &[u8]) -> Result<T, ArtifactError> {
    let magic_bytes = bytes.len().min(MAGIC.len());
    if bytes.is_empty() || bytes[..magic_bytes] != MAGIC[..magic_bytes] {
        return Err(ArtifactError::NotAModel);
    }
    let found = bytes.len() as u64;
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Err(ArtifactError::Length { found, expected: (HEADER_BYTES + CHECKSUM_BYTES) as u64 });
    };
    let [.., f0, f1, f2, f3, v0, v1, k0, k1, l0, l1, l2, l3, l4, l5, l6, l7] = *header;
    let body_bytes = u64::from_le_bytes([l0, l1, l2, l3, l4, l5, l6, l7]);
    let expected = body_bytes.saturating_add((HEADER_BYTES + CHECKSUM_BYTES) as u64);
    let Some((body, checksum)) = rest.split_last_chunk::<CHECKSUM_BYTES>().filter(|_| found == expected) else {
        return Err(ArtifactError::Length { found, expected });
    };
    if step(|| Sha256::digest(&bytes[..bytes.len() - CHECKSUM_BYTES]))[..] != checksum[..] {
        return Err(ArtifactError::Checksum);
    }
    let format_version = u32::from_le_bytes([f0, f1, f2, f3]);
    if format_version != FORMAT_VERSION {
        return Err(ArtifactError::FormatVersion { found: format_version });
    }
    if u16::from_le_bytes([k0, k1]) != schema.kind as u16 {
        return Err(match schema.kind {
            Kind::Urls => ArtifactError::NotOfUrls,
            Kind::Pictures => ArtifactError::NotOfPictures,
        });
    }
    let version = u16::from_le_bytes([v0, v1]);
    if version != schema.version {
        return Err(ArtifactError::FeatureSchema { found: version.into(), expected: schema.version.into() });
    }
    match step(|| postcard::take_from_bytes(body)) {
        Ok((decoded, [])) => Ok(decoded),
        Ok(_) => Err(ArtifactError::Invalid("its body is longer than its contents".to_owned())),
        Err(error) => Err(ArtifactError::Invalid(error.to_string())),
    }
}

/// When a model was made and what it is, in the forms that people and the MODEL column see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Stamp {
    /// RFC 3339 in UTC, to the second.
    pub(super) created_at: String,
    /// First digits of the SHA-256 of all that makes two models the same.
    pub(super) content_hash: String,
    /// Both, as `20261123T150102Z-0123456789ab`.
    pub(super) version: String,
}

impl Stamp {
    /// The stamp of `content`, made `created_at_s` seconds after the start of 1970; `schema` is what is hashed before it.
    pub(super) fn of(created_at_s: i64, schema: &[u8], content: &impl Serialize) -> Result<Self, ArtifactError> {
        let created_at = jiff::Timestamp::from_second(created_at_s)
            .map_err(|_| ArtifactError::Invalid("its creation time is out of range".to_owned()))?;
        let mut hash = Sha256::new();
        hash.update(schema);
        let content = step(|| to_postcard(content))?;
        step(|| hash.update(content));
        let mut content_hash = hex(&hash.finalize());
        content_hash.truncate(HASH_DIGITS);
        let version = format!("{}-{content_hash}", created_at.strftime("%Y%m%dT%H%M%SZ"));
        Ok(Self { created_at: created_at.to_string(), content_hash, version })
    }
}

/// Does a part of the work on a file, then lets others have the core. Requests are being answered beside it, and on Linux a
/// thread that goes on working keeps its core for milliseconds, whoever waits and however nice it is.
fn step<T>(work: impl FnOnce() -> T) -> T {
    let done = work();
    std::thread::yield_now();
    done
}

fn to_postcard(value: &impl Serialize) -> Result<Vec<u8>, ArtifactError> {
    postcard::to_stdvec(value).map_err(|error| ArtifactError::Invalid(error.to_string()))
}
