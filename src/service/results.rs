//! Stored results one by one, for people who look at them and correct them: the hop from async handlers to the blocking
//! store, and the audit log of what was changed.

use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::ServiceError;
use super::cache::Cache;
use super::health::{Health, Operation};
use crate::auth::Holder;
use crate::domain::{Key, Outcome, StoredResult};
use crate::store::{Change, Changed, Range, ResultStore, StoreError, StoreSession};

/// The result table as a resource. Cheap to clone.
#[derive(Clone)]
pub struct StoredResults {
    store: Arc<dyn ResultStore>,
    health: Arc<Health>,
    /// Forgets what is changed.
    cache: Option<Arc<Cache>>,
    /// Half of the store's sessions: predictions shall not wait for people.
    at_once: Arc<Semaphore>,
}

/// Which rows a list shows: [`Range`] with texts of its own.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Keys after this one.
    pub after: Option<Key>,
    /// Keys that begin with this text; empty for all.
    pub prefix: String,
    /// Rows that this model made.
    pub model: Option<String>,
    /// Most rows.
    pub limit: usize,
}

impl StoredResults {
    pub(super) fn new(store: Arc<dyn ResultStore>, health: Arc<Health>, cache: Option<Arc<Cache>>) -> Self {
        let at_once = Arc::new(Semaphore::new((store.max_sessions() / 2).max(1)));
        Self { store, health, cache, at_once }
    }

    /// The rows of a list, in the order of their keys' bytes.
    ///
    /// # Errors
    /// [`ServiceError`]
    pub async fn list(&self, listing: Listing, deadline: Instant) -> Result<Vec<StoredResult>, ServiceError> {
        let list = move |session: &mut dyn StoreSession| {
            let range =
                Range { after: listing.after.as_ref(), prefix: &listing.prefix, model: listing.model.as_deref() };
            session.page(&range, listing.limit)
        };
        self.with_session(Operation::Lookup, deadline, list).await
    }

    /// The row of a key.
    ///
    /// # Errors
    /// [`ServiceError`]; an absent row is none.
    pub async fn get(&self, key: Key, deadline: Instant) -> Result<Option<StoredResult>, ServiceError> {
        self.with_session(Operation::Lookup, deadline, move |session| session.row(&key)).await
    }

    /// Reads the row of a key, asks `decide` what is to become of it, and does that, while nobody else can write it. What
    /// has changed is in the audit log when this returns, and also where the caller has left meanwhile.
    ///
    /// # Errors
    /// [`ServiceError`]. After [`ServiceError::Deadline`] the change may still be made.
    pub async fn change(
        &self,
        key: Key,
        by: Holder,
        mut decide: impl FnMut(Option<&StoredResult>) -> Change + Send + 'static,
        deadline: Instant,
    ) -> Result<Changed, ServiceError> {
        let cache = self.cache.clone();
        let change = move |session: &mut dyn StoreSession| {
            let mut wanted = false;
            let updated = session.update(&key, &mut |row| {
                let change = decide(row);
                wanted = !matches!(change, Change::Keep);
                change
            });
            if let Some(cache) = cache.filter(|_| wanted) {
                cache.forget([&key]);
            }
            match &updated {
                Ok(changed) => audit(&key, &by, changed),
                // The connection may have been lost while committing.
                Err(_) if wanted => audit_unknown(&key, &by),
                Err(_) => {}
            }
            updated
        };
        match self.with_session(Operation::Store, deadline, change).await? {
            Changed::Rejected(reason) => Err(ServiceError::Rejected(reason)),
            changed => Ok(changed),
        }
    }

    /// Runs blocking work on a session, on a thread for that; refuses where too many are at it.
    async fn with_session<T: Send + 'static>(
        &self,
        operation: Operation,
        deadline: Instant,
        work: impl FnOnce(&mut dyn StoreSession) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        let turn = self.turn(deadline).await?;
        let Self { store, health, .. } = self.clone();
        let working = tokio::task::spawn_blocking(move || {
            // Work whose caller has given up goes on; its turn ends with it, so that no more is begun than may be.
            let _turn = turn;
            let wait = store.acquire_timeout().min(deadline.saturating_duration_since(Instant::now()));
            let mut session = store.session(wait).map_err(|error| health.failed(Operation::Lookup, error))?;
            health.note(operation, work(&mut *session))
        });
        match tokio::time::timeout_at(deadline.into(), working).await {
            Ok(worked) => worked.unwrap_or_else(|_| Err(ServiceError::internal("work on stored results panicked"))),
            Err(_) => Err(ServiceError::Deadline),
        }
    }

    async fn turn(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, ServiceError> {
        let last = deadline.min(Instant::now() + self.store.acquire_timeout());
        let turn = tokio::time::timeout_at(last.into(), Arc::clone(&self.at_once).acquire_owned()).await;
        turn.map_err(|_| ServiceError::Overloaded)?.map_err(|_| ServiceError::internal("the semaphore is closed"))
    }
}

/// What the audit log tells of a row.
#[derive(Serialize)]
struct Audited<'a> {
    result: &'a Outcome,
    model: Option<&'a str>,
}

fn audit(key: &Key, by: &Holder, changed: &Changed) {
    let (action, before, after) = match changed {
        Changed::Kept(_) | Changed::Rejected(_) => return,
        Changed::Replaced { before: None, after } => ("create", None, Some(after)),
        Changed::Replaced { before, after } => ("replace", before.as_ref(), Some(after)),
        Changed::Removed { before } => ("delete", Some(before), None),
    };
    let audited = |row: Option<&StoredResult>| {
        one_line(&row.map(|row| Audited { result: &row.outcome, model: row.model.as_deref() }))
    };
    log::info!(
        target: "augur::audit",
        key_name = by.name.as_str(),
        key_id = by.id.as_str(),
        action = action,
        url = one_line(&key.as_str()).as_str(),
        before = audited(before).as_str(),
        after = audited(after).as_str();
        "a stored result was changed"
    );
}

/// A change that failed, or of which nobody knows whether it was made.
fn audit_unknown(key: &Key, by: &Holder) {
    log::warn!(
        target: "augur::audit",
        key_name = by.name.as_str(),
        key_id = by.id.as_str(),
        url = one_line(&key.as_str()).as_str();
        "a change of a stored result failed; it may have been made"
    );
}

/// A value as JSON without any control character: what stands in a table cannot forge a line of the log.
fn one_line(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).unwrap_or_default();
    if !json.contains(char::is_control) && !json.contains(LINE_ENDS) {
        return json;
    }
    json.chars().fold(String::with_capacity(json.len()), |mut line, c| {
        if c.is_control() || LINE_ENDS.contains(&c) {
            // All of them have four digits, which is what JSON's escape takes.
            line.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            line.push(c);
        }
        line
    })
}

/// Ends of lines that Unicode does not count among the control characters.
const LINE_ENDS: [char; 2] = ['\u{2028}', '\u{2029}'];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_stands_in_a_row_is_one_line_and_can_be_read_back(text in "(?s).*[\u{0}-\u{9f}\u{2028}]?.*") {
            let line = one_line(&text);
            prop_assert!(!line.contains(char::is_control) && !line.contains(LINE_ENDS));
            prop_assert_eq!(serde_json::from_str::<String>(&line).expect("JSON"), text);
        }
    }
}
