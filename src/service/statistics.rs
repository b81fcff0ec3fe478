//! What the lanes have done since the start: how many keys, and how long they took.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::CacheStatistics;

/// How often something was done for a key, and the sum of what each of them waited for it: a round trip for 64 keys counts
/// 64 times.
#[derive(Debug, Clone, Copy, Default)]
pub struct Measured {
    /// Keys.
    pub count: u64,
    /// Nanoseconds.
    pub duration_ns: u64,
}

/// Counts since the start.
#[derive(Debug, Clone, Copy, Default)]
pub struct Statistics {
    /// Keys that the table had, and their lookups.
    pub hits: Measured,
    /// Keys that it had not: their lookups, and what stored them.
    pub misses: Measured,
    /// Predictions.
    pub predictions: Measured,
    /// Calls of the model, each for a batch.
    pub model_calls: u64,
    /// Keys that were answered, however many callers shared the answer, and those of the cache.
    pub successes: u64,
    /// Keys that were not, for the store's or the model's sake.
    pub failures: u64,
    /// When a lane was last at work, in milliseconds since 1970.
    pub last_ms: u64,
    /// What the cache has done, where there is one. Its hits are none of the table's `hits`, its misses go to the table.
    pub cache: Option<CacheStatistics>,
}

#[derive(Default)]
struct Counter {
    count: AtomicU64,
    duration_ns: AtomicU64,
}

impl Counter {
    fn add(&self, count: usize, each: Duration) {
        let duration_ns = u64::try_from(each.as_nanos()).unwrap_or(u64::MAX).saturating_mul(count as u64);
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        self.duration_ns.fetch_add(duration_ns, Ordering::Relaxed);
    }

    fn read(&self) -> Measured {
        Measured { count: self.count.load(Ordering::Relaxed), duration_ns: self.duration_ns.load(Ordering::Relaxed) }
    }
}

/// Where the lanes count.
#[derive(Default)]
pub(super) struct Counters {
    hits: Counter,
    misses: Counter,
    predictions: Counter,
    model_calls: AtomicU64,
    successes: AtomicU64,
    failures: AtomicU64,
    last_ms: AtomicU64,
}

impl Counters {
    /// A lookup of `hits + misses` keys.
    pub(super) fn looked_up(&self, since: Instant, hits: usize, misses: usize) {
        let each = since.elapsed();
        self.hits.add(hits, each);
        self.misses.add(misses, each);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.last_ms.store(u64::try_from(now.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// A call of the model.
    pub(super) fn predicted(&self, since: Instant, count: usize) {
        self.predictions.add(count, since.elapsed());
        self.model_calls.fetch_add(1, Ordering::Relaxed);
    }

    /// An insert of keys that were looked up before.
    pub(super) fn stored(&self, since: Instant, count: usize) {
        let duration_ns = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.misses.duration_ns.fetch_add(duration_ns.saturating_mul(count as u64), Ordering::Relaxed);
    }

    /// Keys with an answer, and keys without.
    pub(super) fn answered(&self, successes: usize, failures: usize) {
        self.successes.fetch_add(successes as u64, Ordering::Relaxed);
        self.failures.fetch_add(failures as u64, Ordering::Relaxed);
    }

    pub(super) fn read(&self, cache: Option<CacheStatistics>) -> Statistics {
        Statistics {
            hits: self.hits.read(),
            misses: self.misses.read(),
            predictions: self.predictions.read(),
            model_calls: self.model_calls.load(Ordering::Relaxed),
            successes: self.successes.load(Ordering::Relaxed) + cache.map_or(0, |cache| cache.hits),
            failures: self.failures.load(Ordering::Relaxed),
            last_ms: self.last_ms.load(Ordering::Relaxed),
            cache,
        }
    }
}
