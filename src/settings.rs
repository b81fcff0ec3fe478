//! The settings: composed from the floors' own, loaded in layers, checked, and shown without their secrets.
//!
//! `config/default.toml` is the list of all keys: what it does not name is refused, and its values fix the types.

mod layers;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

pub use layers::{Effective, Overrides, load};

use crate::auth::AuthSettings;
use crate::http::LimitSettings;
use crate::service::{CacheSettings, LaneSettings};
use crate::store::StoreSettings;
use crate::telemetry::LogSettings;

/// Everything that can be configured.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `server.*`
    pub server: ServerSettings,
    /// `limits.*`
    pub limits: LimitSettings,
    /// `lanes.*`
    pub lanes: LaneSettings,
    /// `store.*`
    pub store: StoreSettings,
    /// `cache.*`
    pub cache: CacheSettings,
    /// `models.*`
    pub models: ModelSettings,
    /// `auth.*`
    pub auth: AuthSettings,
    /// `log.*`
    pub log: LogSettings,
}

/// `server.*`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    /// Addresses to serve on.
    pub listen: Vec<SocketAddr>,
    /// Origins of the web pages that may call from a browser; `"*"` is any.
    pub cors_origins: Vec<String>,
    /// Time limit of a request, in milliseconds.
    pub request_timeout_ms: u64,
    /// Time for requests in flight at shutdown, in milliseconds.
    pub shutdown_grace_ms: u64,
}

impl ServerSettings {
    /// Time limit of a request.
    #[must_use]
    pub fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    /// Time for requests in flight at shutdown.
    #[must_use]
    pub fn shutdown_grace(&self) -> Duration {
        Duration::from_millis(self.shutdown_grace_ms)
    }
}

/// `models.*`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSettings {
    /// The model that answers `/url`.
    pub url: ModelFile,
    /// The model that answers `/classify`.
    pub image: ImageModelSettings,
}

/// `models.image.*`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageModelSettings {
    /// The artifact, or a folder of versions; empty for the one inside the binary.
    pub path: PathBuf,
    /// Whether there is a route `/classify`.
    pub enabled: bool,
}

/// Where a model comes from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// The artifact, or a folder of versions; empty for the one inside the binary.
    pub path: PathBuf,
}

impl Settings {
    /// Checks what types cannot: ranges, and what belongs together.
    ///
    /// # Errors
    /// One sentence that names the key and says what to change.
    fn validate(&self) -> Result<(), String> {
        let positive = [
            ("server.request_timeout_ms", self.server.request_timeout_ms),
            ("limits.max_body_bytes", self.limits.max_body_bytes as u64),
            ("limits.max_url_bytes", self.limits.max_url_bytes as u64),
            ("limits.max_batch", self.limits.max_batch as u64),
            ("limits.max_image_bytes", self.limits.max_image_bytes as u64),
            ("limits.max_image_pixels", self.limits.max_image_pixels),
            ("lanes.max_batch", self.lanes.max_batch as u64),
            ("lanes.queue_capacity", self.lanes.queue_capacity as u64),
            ("store.oracle.pool_size", u64::from(self.store.oracle.pool_size)),
            ("store.oracle.acquire_timeout_ms", self.store.oracle.acquire_timeout_ms),
            ("store.oracle.call_timeout_ms", self.store.oracle.call_timeout_ms),
            ("cache.ttl_ms", self.cache.ttl_ms),
        ];
        if let Some((key, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return Err(format!("{key} must be at least 1"));
        }
        // A day: longer waits are a slip of the unit, and far larger ones overflow the clock.
        const MAX_MS: u64 = 86_400_000;
        if let Some((key, _)) = positive.iter().find(|(key, value)| key.ends_with("_ms") && *value > MAX_MS) {
            return Err(format!("{key} must be at most {MAX_MS} (a day)"));
        }
        if self.server.shutdown_grace_ms > MAX_MS {
            return Err(format!("server.shutdown_grace_ms must be at most {MAX_MS} (a day)"));
        }
        if self.server.listen.is_empty() {
            return Err("server.listen must name at least one address, such as [\"0.0.0.0:8000\"]".into());
        }
        self.server.cors_origins.iter().try_for_each(|origin| crate::http::check_origin(origin))?;
        if self.limits.max_url_bytes > 4000 {
            return Err("limits.max_url_bytes must be at most 4000: that is where Oracle's VARCHAR2 ends".into());
        }
        // Pictures are held in memory, and several at a time.
        const MAX_IMAGE_BYTES: usize = 1 << 30;
        if self.limits.max_image_bytes > MAX_IMAGE_BYTES {
            return Err(format!("limits.max_image_bytes must be at most {MAX_IMAGE_BYTES} (1 GiB)"));
        }
        const MAX_BATCH: usize = 10_000;
        if self.limits.max_batch > MAX_BATCH {
            return Err(format!("limits.max_batch must be at most {MAX_BATCH}: longer batches are sent as NDJSON"));
        }
        // Beyond that a batch's buffers, or the sessions, are more than any database is asked to bear.
        const MAX_COUNT: usize = 1000;
        if self.lanes.max_batch > MAX_COUNT || self.store.oracle.pool_size as usize > MAX_COUNT {
            return Err(format!("lanes.max_batch and store.oracle.pool_size must be at most {MAX_COUNT}"));
        }
        // Tens of gigabytes.
        const MAX_CACHED: u64 = 100_000_000;
        if self.cache.max_entries > MAX_CACHED {
            return Err(format!("cache.max_entries must be at most {MAX_CACHED} (0 turns the cache off)"));
        }
        crate::store::TableNames::parse(&self.store.table)?;
        // sqlplus takes user/password@where; here it would put the password into logs.
        if self.store.oracle.connect_string.contains('@') {
            return Err(
                "store.oracle.connect_string must not hold user and password: they have keys of their own".into()
            );
        }
        self.auth.validate()?;
        crate::telemetry::parse_filter(&self.log.level).map(|_| ())
    }
}
