//! The parameters of a list, and where its next page is.

use std::fmt::Write;

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use super::PATH;
use super::row::{self, Row};
use crate::domain::{Key, StoredResult};
use crate::http::docs::{EXAMPLE_ID, EXAMPLE_URL};
use crate::http::error::ApiError;
use crate::service::Listing;

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;
/// Longest prefix and model, in bytes: no key and no name is longer.
const MAX_TEXT_BYTES: usize = 4000;

/// A page of a list.
#[derive(Serialize, ToSchema)]
#[schema(as = Page, example = json!({
    "results": [{
        "id": EXAMPLE_ID, "url": EXAMPLE_URL, "result": 1, "model": "manual", "created_at": "2026-11-23T15:49:10.123456Z"
    }],
    "next": null
}))]
pub(super) struct Page<'a> {
    #[schema(max_items = 1000)]
    pub(super) results: Vec<Row<'a>>,
    /// Path and query of the next page; `null` on the last one.
    #[schema(required, max_length = 40000)]
    pub(super) next: Option<String>,
}

/// What a list is asked for. An empty parameter counts as none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Query {
    limit: usize,
    after: Option<Key>,
    prefix: Option<String>,
    model: Option<String>,
}

impl Query {
    /// Reads a query string; parameters that it does not know are passed over.
    ///
    /// # Errors
    /// 422 that names the parameter.
    pub(super) fn parse(query: &str) -> Result<Self, ApiError> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(query)
            .map_err(|error| ApiError::Malformed(format!("The query cannot be read: {error}.")))?;
        let mut given: [(&'static str, Option<String>); 4] =
            [("limit", None), ("after", None), ("prefix", None), ("model", None)];
        for (name, value) in pairs.into_inner() {
            let Some((name, place)) = given.iter_mut().find(|(known, _)| *known == name) else { continue };
            if place.replace(value).is_some() {
                return Err(ApiError::parameter(name, "is given more than once"));
            }
        }
        let [limit, after, prefix, model] = given.map(|(_, value)| value.filter(|value| !value.is_empty()));
        let limit = limit.map_or(Some(DEFAULT_LIMIT), |limit| limit.parse().ok());
        let limit = limit.filter(|limit| (1..=MAX_LIMIT).contains(limit));
        let after =
            after.map(|id| row::known_key(&id).ok_or_else(|| ApiError::parameter("after", "is no id of a result")));
        let short = |name, text: Option<String>| match text {
            Some(text) if text.len() > MAX_TEXT_BYTES => {
                Err(ApiError::parameter(name, format!("is over {MAX_TEXT_BYTES} bytes")))
            }
            text => Ok(text),
        };
        Ok(Self {
            limit: limit
                .ok_or_else(|| ApiError::parameter("limit", format!("must be a number from 1 to {MAX_LIMIT}")))?,
            after: after.transpose()?,
            prefix: short("prefix", prefix)?,
            model: short("model", model)?,
        })
    }

    /// What to ask the store for: one row more than is shown tells whether there is another page.
    pub(super) fn listing_and_one_more(&self) -> Listing {
        Listing {
            after: self.after.clone(),
            prefix: self.prefix.clone().unwrap_or_default(),
            model: self.model.clone(),
            limit: self.limit + 1,
        }
    }

    /// Cuts the row off that is one too many; where there was one, the next page's path and query.
    pub(super) fn cut(&self, rows: &mut Vec<StoredResult>) -> Option<String> {
        if rows.len() <= self.limit {
            return None;
        }
        rows.truncate(self.limit);
        let last = rows.last()?;
        let mut next = format!("{PATH}?limit={}&after={}", self.limit, row::id(&last.key));
        for (name, value) in [("prefix", &self.prefix), ("model", &self.model)] {
            if let Some(value) = value {
                next.push_str(&format!("&{name}="));
                percent_encode(value, &mut next);
            }
        }
        Some(next)
    }
}

/// All but the unreserved characters of RFC 3986, section 2.3.
fn percent_encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // writing into a String cannot fail
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Outcome;
    use proptest::prelude::*;

    fn parameter(query: &str) -> String {
        match Query::parse(query) {
            Err(ApiError::InvalidParameter { parameter, .. }) => parameter.to_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_bad_parameter_is_named() {
        for limit in [
            "limit=0",
            "limit=1001",
            "limit=-1",
            "limit=x",
            "limit=1.0",
            "limit=1&limit=2",
            "limit=99999999999999999999",
        ] {
            assert_eq!(parameter(limit), "limit", "{limit}");
        }
        assert_eq!(parameter("after=YQ=="), "after");
        assert_eq!(parameter(&format!("prefix={}", "a".repeat(4001))), "prefix");
        assert_eq!(parameter("model=a&model=a"), "model");
    }

    #[test]
    fn without_parameters_it_is_the_first_hundred() {
        let all = Query { limit: 100, after: None, prefix: None, model: None };
        assert_eq!(Query::parse("").expect("a query"), all);
        assert_eq!(Query::parse("limit=&prefix=&x=1").expect("a query"), all);
    }

    proptest! {
        #[test]
        fn the_next_page_asks_for_the_same_after_the_last_row(prefix in ".{1,20}", model in ".{1,20}", key in ".{1,20}") {
            let rows = |key: &str| StoredResult {
                key: Key::stored(key),
                outcome: Outcome::Null,
                model: None,
                created_at: None,
            };
            let query = Query { limit: 1, after: None, prefix: Some(prefix), model: Some(model) };
            let mut rows = vec![rows(&key), rows("one more")];
            let next = query.cut(&mut rows).expect("another page");
            let next = Query::parse(next.strip_prefix("/api/results?").expect("a query")).expect("a good one");
            prop_assert_eq!(rows.len(), 1);
            prop_assert_eq!(next, Query { after: Some(Key::stored(&key)), ..query });
        }
    }
}
