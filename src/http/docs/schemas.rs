//! Schemas and examples that Rust's types do not tell by themselves.

use utoipa::openapi::schema::{ArrayItems, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{Object, OpenApi, RefOr, Schema};

use crate::http::LimitSettings;

/// The URL of the examples about stored results, and its id.
pub(in crate::http) const EXAMPLE_URL: &str = "http://www.example.com/";
pub(in crate::http) const EXAMPLE_ID: &str = "aHR0cDovL3d3dy5leGFtcGxlLmNvbS8";

/// A URL in a request. Its longest is written into the document at run time.
pub(in crate::http) fn url() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .pattern(Some("^[^\\u0000-\\u001f\\u007f-\\u009f]+$"))
        .description(Some("The key: the text exactly as sent, without control characters"))
        .build()
}

/// A stored value: what the result column holds.
pub(in crate::http) fn value() -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::Array(vec![Type::Number, Type::String, Type::Null]))
        .max_length(Some(4000))
        .description(Some("Number, text or null, as the table has it"))
        .build()
}

/// A picture that a JSON document can hold: a BMP all of whose bytes are ASCII. Eight by eight pixels show a one.
pub(in crate::http) fn picture() -> String {
    const HEAD_BYTES: u8 = 62;
    const ROWS: [u8; 8] =
        [0b0001_1000, 0b0011_1000, 0b0001_1000, 0b0001_1000, 0b0001_1000, 0b0001_1000, 0b0011_1100, 0];
    let bytes_of_file = HEAD_BYTES + 4 * 8;
    let mut bytes = vec![b'B', b'M', bytes_of_file, 0, 0, 0, 0, 0, 0, 0, HEAD_BYTES, 0, 0, 0];
    // BITMAPINFOHEADER: its size, width, height, planes, bits per pixel, and zeros for what has a default.
    bytes.extend([40, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0, 0, 1, 0, 1, 0]);
    bytes.extend([0; 24]);
    // The colours of 0 and 1.
    bytes.extend([0, 0, 0, 0, 127, 127, 127, 0]);
    // From the bottom to the top, each row filled up to four bytes.
    bytes.extend(ROWS.iter().rev().flat_map(|row| [*row, 0, 0, 0]));
    bytes.into_iter().map(char::from).collect()
}

/// Writes the limits that are in force into the schemas.
pub(super) fn set_limits(api: &mut OpenApi, limits: &LimitSettings) {
    let schemas = api.components.iter_mut().flat_map(|components| components.schemas.iter_mut());
    for (name, schema) in schemas {
        let RefOr::T(Schema::Object(object)) = schema else { continue };
        match name.as_str() {
            "UrlRequest" | "NewResult" => limit(object.properties.get_mut("url"), limits.max_url_bytes),
            "ClassifyRequest" => limit(object.properties.get_mut("image"), limits.max_image_bytes),
            "Batch" => {
                let Some(RefOr::T(Schema::Array(urls))) = object.properties.get_mut("urls") else { continue };
                urls.max_items = Some(limits.max_batch);
                if let ArrayItems::RefOrSchema(url) = &mut urls.items {
                    limit(Some(url), limits.max_url_bytes);
                }
            }
            "Answers" => {
                let Some(RefOr::T(Schema::Array(results))) = object.properties.get_mut("results") else { continue };
                results.max_items = Some(limits.max_batch);
            }
            _ => {}
        }
    }
}

/// JSON Schema counts characters: what is over this has too many bytes in any case.
fn limit(text: Option<&mut RefOr<Schema>>, max_bytes: usize) {
    if let Some(RefOr::T(Schema::Object(text))) = text {
        text.max_length = Some(max_bytes);
    }
}
