//! Schemas that Rust's types do not tell by themselves.

use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{Object, OpenApi, RefOr, Schema};

use crate::http::LimitSettings;

/// A stored value: what the result column holds.
pub(in crate::http) fn value() -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::Array(vec![Type::Number, Type::String, Type::Null]))
        .max_length(Some(4000))
        .description(Some("Number, text or null, as the table has it"))
        .build()
}

/// Writes the limits that are in force into the schemas.
pub(super) fn set_limits(api: &mut OpenApi, limits: &LimitSettings) {
    let schemas = api.components.iter_mut().flat_map(|components| components.schemas.values_mut());
    for schema in schemas {
        let RefOr::T(Schema::Object(object)) = schema else { continue };
        for (name, limit) in [("url", limits.max_url_bytes), ("image", limits.max_image_bytes)] {
            if let Some(RefOr::T(Schema::Object(member))) = object.properties.get_mut(name) {
                member.max_length = Some(limit);
            }
        }
    }
}
