//! Cache: the opt-in memory of what the table held a moment ago, answered again without asking it. Off by default.
//!
//! Only what stands in the table is remembered: rows that a lookup found, and rows that this server stored and committed. An
//! entry is answered until [`CacheSettings::ttl_ms`] after the reading of its row *began*, which therefore bounds how old
//! an answer can be, whoever changes the table.
//!
//! # What is changed through this server is seen at once
//! A change ends by forgetting its key, after its commit and before its caller is answered. That alone would not do: a lane
//! may have read the old row before the commit and come to remember it after the forgetting. So changes are counted. A
//! lane notes the count *before* it reads ([`Cache::begin_reading`]) and remembers nothing if it has grown since
//! ([`Cache::remember`]). The comparison and the remembering are under the read half of a lock, the counting and forgetting
//! under its write half, so of the two one comes first as a whole:
//! - the lane: then the forgetting that follows takes out what it put in;
//! - the change: then the lane sees that the count has grown. Where it had not, the lane began to read after the change had
//!   been committed, and has read the new row.
//!
//! One count for all keys: changes are rare, and what is not remembered for the sake of another key's change is remembered
//! by the next lookup.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use foldhash::quality::RandomState;
use moka::notification::RemovalCause;
use serde::Deserialize;

use super::work::Reply;
use super::{Answer, Source};
use crate::domain::{Key, Outcome};

/// `cache.*`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheSettings {
    /// Most answers in memory; 0: no cache.
    pub max_entries: u64,
    /// How long an answer is given from memory, in milliseconds after its row was read.
    pub ttl_ms: u64,
}

impl CacheSettings {
    /// No cache.
    pub const OFF: Self = Self { max_entries: 0, ttl_ms: 0 };
}

/// What the cache has done since the start.
#[derive(Debug, Clone, Copy)]
pub struct CacheStatistics {
    /// Keys that it answered.
    pub hits: u64,
    /// Keys that it had not, or no longer.
    pub misses: u64,
    /// Keys that are in it, to within the last few.
    pub entries: u64,
    /// Keys that had to make room for others.
    pub evictions: u64,
}

/// Answers in memory.
pub(super) struct Cache {
    entries: moka::sync::Cache<Key, Entry, RandomState>,
    ttl: Duration,
    /// How many changes of rows have been made through this server.
    changes: RwLock<u64>,
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: Arc<AtomicU64>,
}

#[derive(Clone)]
struct Entry {
    outcome: Outcome,
    model: Option<Arc<str>>,
    read_at: Instant,
}

/// A reading of rows that has begun.
pub(super) struct Reading {
    changes: u64,
    at: Instant,
}

impl Cache {
    /// A cache where one is wished for.
    pub(super) fn start(settings: CacheSettings) -> Option<Arc<Self>> {
        if settings.max_entries == 0 {
            return None;
        }
        let ttl = Duration::from_millis(settings.ttl_ms);
        let evictions = Arc::new(AtomicU64::new(0));
        let evicted = Arc::clone(&evictions);
        let entries = moka::sync::Cache::builder()
            .max_capacity(settings.max_entries)
            // Counted from the remembering, a moment after the reading: this only gives the memory back.
            .time_to_live(ttl)
            .eviction_listener(move |_, _, cause| {
                if cause == RemovalCause::Size {
                    evicted.fetch_add(1, Ordering::Relaxed);
                }
            })
            .build_with_hasher(RandomState::default());
        let (hits, misses) = Default::default();
        Some(Arc::new(Self { entries, ttl, changes: RwLock::new(0), hits, misses, evictions }))
    }

    /// The answer for `key`, unless it is too old or its model `is_stale`.
    pub(super) fn get(&self, key: &Key, is_stale: impl FnOnce(Option<&str>) -> bool) -> Option<Answer> {
        let answer = self.entries.get(key).and_then(|Entry { outcome, model, read_at }| {
            let left = self.ttl.checked_sub(read_at.elapsed())?;
            if is_stale(model.as_deref()) {
                return None;
            }
            Some(Answer { outcome, model, source: Source::Memory { ttl_s: left.as_secs() }, collapsed: false })
        });
        let counter = if answer.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        answer
    }

    /// To be called before rows are read that are to be remembered.
    pub(super) fn begin_reading(&self) -> Reading {
        let changes = *self.changes.read().unwrap_or_else(PoisonError::into_inner);
        Reading { changes, at: Instant::now() }
    }

    /// Remembers those answers that stand in the table, if nothing has been changed since the reading began.
    pub(super) fn remember(&self, reading: &Reading, replies: &[Reply]) {
        let changes = self.changes.read().unwrap_or_else(PoisonError::into_inner);
        if *changes != reading.changes {
            return;
        }
        for Reply { ticket, answer } in replies {
            if let Ok(Answer { outcome, model, source: Source::Hit | Source::Stored | Source::StoredByOther, .. }) =
                answer
            {
                let entry = Entry { outcome: outcome.clone(), model: model.clone(), read_at: reading.at };
                self.entries.insert(ticket.key.clone(), entry);
            }
        }
    }

    /// To be called after rows have been replaced or removed, or may have been.
    pub(super) fn forget<'a>(&self, keys: impl IntoIterator<Item = &'a Key>) {
        let mut changes = self.changes.write().unwrap_or_else(PoisonError::into_inner);
        *changes += 1;
        keys.into_iter().for_each(|key| self.entries.invalidate(key));
    }

    pub(super) fn statistics(&self) -> CacheStatistics {
        CacheStatistics {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            entries: self.entries.entry_count(),
            evictions: self.evictions.load(Ordering::Relaxed),
        }
    }
}
