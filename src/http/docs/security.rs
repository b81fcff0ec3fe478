//! How the document tells of API keys.

use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};

use super::problems::key_problems;

/// The name of the scheme.
const SCHEME: &str = "api_key";

/// Adds the scheme; predictions take a key, and need one where `require_for_predict`.
pub(super) fn describe(api: &mut OpenApi, require_for_predict: bool) {
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A key that `augur keygen` made, with the scope that the operation names"))
        .build();
    api.components.get_or_insert_default().add_security_scheme(SCHEME, SecurityScheme::Http(scheme));
    for item in api.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post].into_iter().flatten();
        for operation in operations.filter(|o| o.tags.iter().flatten().any(|tag| tag == "prediction")) {
            let with_key = SecurityRequirement::new(SCHEME, ["predict"]);
            operation.security = Some(if require_for_predict {
                operation.responses.responses.extend(key_problems());
                vec![with_key]
            } else {
                vec![SecurityRequirement::default(), with_key]
            });
        }
    }
}
