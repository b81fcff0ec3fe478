//! The Open Inference Protocol in the document. Its bodies are the protocol's and not ours to shape, so that they are not
//! derived from types but written down as the protocol has them, in `inference.json`.

use serde_json::{Map, Value, json};

use crate::http::LimitSettings;

/// What is known at the start alone.
pub(super) struct Inference<'a> {
    pub(super) limits: &'a LimitSettings,
    pub(super) has_images: bool,
    pub(super) require_for_predict: bool,
    /// The version of the model `url`.
    pub(super) version: &'a str,
}

impl Inference<'_> {
    /// Adds the routes and what they need.
    ///
    /// # Errors
    /// None: the file is JSON.
    pub(super) fn describe(&self, document: &mut Value) -> serde_json::Result<()> {
        let mut described: Value = serde_json::from_str(include_str!("inference.json"))?;
        let element = described.pointer_mut("/components/schemas/InferRequest/properties/inputs/items/properties/data");
        if let Some(element) = element {
            element["maxItems"] = json!(self.limits.max_batch);
            element["items"]["maxLength"] = json!(self.limits.max_url_bytes);
        }
        let infer = &mut described["paths"]["/v2/models/{model}/infer"]["post"];
        let mut security = vec![json!({ "api_key": ["predict"] })];
        if self.require_for_predict {
            for status in ["401", "403"] {
                infer["responses"][status] = infer["responses"]["400"].clone();
            }
        } else {
            security.insert(0, json!({}));
        }
        infer["security"] = Value::Array(security);
        let paths = described["paths"].as_object_mut().map(std::mem::take).unwrap_or_default();
        described["paths"] = Value::Object(paths.into_iter().flat_map(|path| self.with_version(path)).collect());
        merge(document, described);
        Ok(())
    }

    /// A path, and the one that names the version as well where it is of a model.
    fn with_version(&self, (path, mut item): (String, Value)) -> Vec<(String, Value)> {
        const MODEL: &str = "/v2/models/{model}";
        let Some(rest) = path.strip_prefix(MODEL) else { return vec![(path, item)] };
        if !self.has_images {
            item["parameters"][0]["schema"]["enum"] = json!(["url"]);
        }
        let mut versioned = item.clone();
        if let Some(parameters) = versioned["parameters"].as_array_mut() {
            parameters.push(json!({
                "name": "version",
                "in": "path",
                "required": true,
                "description": "The version of the live model; there is no other",
                "example": self.version,
                "schema": { "type": "string", "maxLength": 100 },
            }));
        }
        for operation in versioned.as_object_mut().into_iter().flat_map(Map::values_mut) {
            if let Some(id) = operation["operationId"].as_str().map(|id| format!("{id}_version")) {
                operation["operationId"] = json!(id);
            }
        }
        vec![(format!("{MODEL}/versions/{{version}}{rest}"), versioned), (path, item)]
    }
}

/// Puts the members of objects in `from` among those of `into`.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}
