//! What requests to the resource hold, for the document: the handlers read it piece by piece.

use utoipa::{IntoParams, ToSchema};

use crate::http::docs::{self, EXAMPLE_ID, EXAMPLE_URL};

/// Which row.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "a description")]
pub(super) struct Id {
    /// The row's URL in base64url without padding.
    #[param(min_length = 2, max_length = 5334, pattern = "^[A-Za-z0-9_-]+$", example = json!(EXAMPLE_ID))]
    id: String,
}

/// On what it depends whether anything is done.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "a description")]
pub(super) struct Conditions {
    /// Only where the row has one of these tags; `*`: only where there is a row.
    #[param(rename = "If-Match", max_length = 4000, value_type = Option<String>)]
    if_match: Option<String>,
    /// Only where the row has none of these tags; `*`: only where there is no row.
    #[param(rename = "If-None-Match", max_length = 4000, value_type = Option<String>)]
    if_none_match: Option<String>,
}

/// Which page of which rows. An empty parameter counts as none.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "a description")]
pub(super) struct Parameters {
    /// Most rows of the page.
    #[param(format = Int32, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
    /// Rows behind the one with this id.
    #[param(max_length = 5334, pattern = "^[A-Za-z0-9_-]*$")]
    after: Option<String>,
    /// Rows whose URL begins with this text.
    #[param(max_length = 4000)]
    prefix: Option<String>,
    /// Rows of this model: `name@version` or `manual`. No index helps to find them: rows of others are read and passed over,
    /// which takes too long (503) where there are millions of them between. Then list all rows, or those of a `prefix`.
    #[param(max_length = 4000)]
    model: Option<String>,
}

/// Body of a request that makes a row; other members are ignored.
#[derive(ToSchema)]
#[schema(example = json!({ "url": EXAMPLE_URL, "result": 1 }))]
#[expect(dead_code, reason = "a description")]
pub(super) struct NewResult {
    #[schema(schema_with = docs::url)]
    url: String,
    #[schema(schema_with = docs::value)]
    result: f64,
}

/// Body of a request that corrects a row; other members are ignored.
#[derive(ToSchema)]
#[schema(example = json!({ "result": 0.5 }))]
#[expect(dead_code, reason = "a description")]
pub(super) struct Correction {
    #[schema(schema_with = docs::value)]
    result: f64,
}
