//! A stored result as clients see it: its id, its JSON, its tag.

use actix_web::http::header::EntityTag;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::domain::{Key, Outcome, StoredResult, hex};
use crate::http::docs::{self, EXAMPLE_ID, EXAMPLE_URL};
use crate::http::error::ApiError;

/// Longest key that a row is looked for under, in bytes: where Oracle's VARCHAR2 ends.
const MAX_KEY_BYTES: usize = 4000;

/// A stored result.
#[derive(Serialize, ToSchema)]
#[schema(as = Row, example = json!({
    "id": EXAMPLE_ID, "url": EXAMPLE_URL, "result": 1, "model": "manual", "created_at": "2026-11-23T15:49:10.123456Z"
}))]
pub(super) struct Row<'a> {
    /// The URL in base64url without padding.
    #[schema(max_length = 5334, pattern = "^[A-Za-z0-9_-]+$")]
    pub(super) id: String,
    /// The key.
    #[schema(max_length = 4000)]
    url: &'a str,
    #[schema(schema_with = docs::value)]
    result: &'a Outcome,
    /// `name@version` of the model that made it, `manual` for a person, `null` where another program wrote the row.
    #[schema(required, max_length = 4000)]
    model: Option<&'a str>,
    /// When the row was written, in UTC; `null` where the table does not say.
    #[schema(required, max_length = 64)]
    created_at: Option<&'a str>,
}

impl<'a> Row<'a> {
    pub(super) fn of(row: &'a StoredResult) -> Self {
        Self {
            id: id(&row.key),
            url: row.key.as_str(),
            result: &row.outcome,
            model: row.model.as_deref(),
            created_at: row.created_at.as_deref(),
        }
    }

    /// A strong tag: the hash of all that the row's JSON holds.
    pub(super) fn tag(&self) -> EntityTag {
        const TAG_BYTES: usize = 16;
        // Cannot fail: there is no map in it whose keys might be no text.
        let json = serde_json::to_vec(self).unwrap_or_default();
        EntityTag::new_strong(hex(&Sha256::digest(json)[..TAG_BYTES]))
    }
}

/// The id of a key: base64url without padding.
pub(super) fn id(key: &Key) -> String {
    URL_SAFE_NO_PAD.encode(key.as_str())
}

/// The key of an id, whatever it is: other programs' keys may be what ours may not. `None` for what no row can have.
pub(super) fn known_key(id: &str) -> Option<Key> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
    (1..=MAX_KEY_BYTES).contains(&text.len()).then(|| Key::stored(&text))
}

/// The key of an id that a row may be made under.
///
/// # Errors
/// 422 where it is none.
pub(super) fn new_key(id: &str, max_bytes: usize) -> Result<Key, ApiError> {
    let key = known_key(id).ok_or_else(|| ApiError::parameter("id", "is not a key in base64url without padding"))?;
    Key::parse(key.as_str(), max_bytes).map_err(|error| ApiError::parameter("id", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_id_is_url_safe_and_has_one_form() {
        assert_eq!(id(&Key::stored("http://a/?b>")), "aHR0cDovL2EvP2I-");
        for none in ["", "aHR0cDovL2EvP2I+", "YQ==", "YR", "Y", "gA", "a b"] {
            assert_eq!(known_key(none), None, "{none}");
        }
        assert_eq!(known_key("YQ"), Some(Key::stored("a")));
        assert_eq!(known_key(&id(&Key::stored(&"u".repeat(4001)))), None);
    }

    #[test]
    fn the_tag_tells_rows_apart_by_all_they_hold() {
        let row = StoredResult {
            key: Key::stored("u"),
            outcome: Outcome::integer(1),
            model: Some("manual".to_owned()),
            created_at: None,
        };
        let others = [
            StoredResult { key: Key::stored("v"), ..row.clone() },
            StoredResult { outcome: Outcome::float(1.0), ..row.clone() },
            StoredResult { outcome: Outcome::Text("1".to_owned()), ..row.clone() },
            StoredResult { model: None, ..row.clone() },
            StoredResult { created_at: Some("2026".to_owned()), ..row.clone() },
        ];
        let tag = Row::of(&row).tag();
        assert_eq!(tag, Row::of(&row.clone()).tag());
        assert!(others.iter().all(|other| Row::of(other).tag() != tag));
    }

    proptest! {
        #[test]
        fn every_key_comes_back_from_its_id(text in ".{1,100}") {
            let key = Key::stored(&text);
            let id = id(&key);
            prop_assert!(id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
            prop_assert_eq!(known_key(&id), Some(key));
        }

        #[test]
        fn no_id_has_two_forms(text in "[A-Za-z0-9_-]{0,12}") {
            if let Some(key) = known_key(&text) {
                prop_assert_eq!(id(&key), text);
            }
        }
    }
}
