//! The OpenAPI document, held against the server that it describes, and Swagger UI.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::app::Response;
use crate::classify::{BOUNDARY, Sqlite, form};
use crate::keys::KeysFile;

/// A server, what it says of itself, and a key for all that needs one.
struct Described {
    server: Sqlite,
    document: Value,
    key: String,
}

/// An operation of the document.
struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    item: &'a Value,
    described: &'a Value,
}

/// In an order in which each finds what it needs.
const METHODS: [&str; 4] = ["post", "get", "put", "delete"];

impl Described {
    fn start(more: &[&str]) -> Self {
        let mut keys = KeysFile::new();
        let key = keys.add("tester", &["results:read", "results:write", "predict"]);
        let server = Sqlite::start(&[&[keys.setting().as_str()], more].concat());
        let document = server.app.get("/openapi.json").json();
        Self { server, document, key }
    }

    /// What a value is or refers to.
    fn follow<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(at) => self.document.pointer(at.trim_start_matches('#')).unwrap_or_else(|| panic!("no {at}")),
            None => value,
        }
    }

    fn operations(&self) -> Vec<Operation<'_>> {
        let paths = self.document["paths"].as_object().unwrap();
        let of = |method| {
            paths.iter().filter_map(move |(path, item)| {
                let described = item.get(method)?;
                Some(Operation { method, path, item, described })
            })
        };
        METHODS.into_iter().flat_map(of).collect()
    }

    /// The example of a body.
    fn example<'a>(&'a self, content: &'a Value) -> Option<&'a Value> {
        content.get("example").or_else(|| self.follow(&content["schema"]).get("example"))
    }

    /// Path and query, from the examples of the parameters.
    fn target(&self, operation: &Operation<'_>) -> String {
        let mut path = operation.path.to_owned();
        let mut query = Vec::new();
        let parameters = [&operation.item["parameters"], &operation.described["parameters"]];
        for parameter in parameters.into_iter().filter_map(Value::as_array).flatten() {
            let name = parameter["name"].as_str().unwrap();
            let example = parameter.get("example").map(|example| example.to_string().trim_matches('"').to_owned());
            match parameter["in"].as_str() {
                Some("path") => path = path.replace(&format!("{{{name}}}"), &example.expect("an example")),
                Some("query") => query.extend(example.map(|example| format!("{name}={example}"))),
                _ => {}
            }
        }
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }

    fn send(&self, operation: &Operation<'_>, kind: &str, example: &Value) -> Response {
        let target = self.target(operation);
        let authorization = format!("Bearer {}", self.key);
        let mut headers = vec![("Authorization", authorization.as_str())];
        let text = || example.as_str().expect("a text").as_bytes().to_vec();
        let (mut kind, mut length) = (kind.to_owned(), String::new());
        let body = match kind.as_str() {
            "application/json" => {
                let body = (!example.is_null()).then(|| example.to_string());
                return self.server.app.call(&operation.method.to_uppercase(), &target, &headers, body.as_deref());
            }
            "multipart/form-data" => {
                kind = format!("{kind}; boundary={BOUNDARY}");
                form(example["image"].as_str().expect("a text").as_bytes())
            }
            "application/octet-stream" => {
                length = (1 + example.as_str().expect("a text").rfind('}').expect("JSON")).to_string();
                text()
            }
            _ => text(),
        };
        headers.push(("Content-Type", &kind));
        if !length.is_empty() {
            headers.push(("Inference-Header-Content-Length", &length));
        }
        self.server.app.post_to(&target, &headers, &body)
    }

    /// Whether the answer is one that the operation is described to have, with all that the example of it has.
    fn assert_described(&self, operation: &Operation<'_>, answer: &Response) {
        let what = format!("{} {}", operation.method, operation.path);
        assert!(answer.status < 300, "{what}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
        let described = self.follow(&operation.described["responses"][answer.status.to_string()]);
        assert!(described["description"].is_string(), "{what}: {} is not described", answer.status);
        let Some(contents) = described["content"].as_object() else {
            assert!(answer.body.is_empty(), "{what}: a body");
            return;
        };
        let kind = answer.header("content-type").unwrap();
        let content = contents.get(kind).unwrap_or_else(|| panic!("{what}: {kind} is not described"));
        let Some(example) = self.example(content) else { return assert_eq!(operation.path, "/openapi.json") };
        match kind {
            "application/json" => assert_like(&what, example, &answer.json()),
            "application/x-ndjson" => {
                let lines = std::str::from_utf8(&answer.body).unwrap().lines();
                let examples: Vec<&str> = example.as_str().unwrap().lines().collect();
                assert_eq!(lines.clone().count(), examples.len());
                for (line, example) in lines.zip(examples) {
                    let read = |line: &str| serde_json::from_str::<Value>(line).unwrap();
                    assert_like(&what, &read(example), &read(line));
                }
            }
            _ => assert!(!answer.body.is_empty(), "{what}"),
        }
    }
}

/// Whether `answer` has all members of `example`.
fn assert_like(what: &str, example: &Value, answer: &Value) {
    match (example, answer) {
        (Value::Object(example), Value::Object(_)) => {
            for (name, value) in example {
                assert_like(
                    &format!("{what} {name}"),
                    value,
                    answer.get(name).unwrap_or_else(|| panic!("{what}: no {name}")),
                );
            }
        }
        (Value::Array(example), Value::Array(answer)) => {
            assert!(example.is_empty() || !answer.is_empty(), "{what}: no elements");
            example.iter().zip(answer).for_each(|(example, answer)| assert_like(what, example, answer));
        }
        (Value::Object(_) | Value::Array(_), other) => panic!("{what}: {other}"),
        _ => {}
    }
}

#[test]
fn each_example_is_answered_as_the_document_says() {
    let described = Described::start(&[]);
    let operations = described.operations();
    let mut bodies = 0;
    for operation in &operations {
        let contents = operation.described["requestBody"]["content"].as_object();
        for (kind, content) in contents.into_iter().flatten() {
            let example = described.example(content).unwrap_or_else(|| panic!("{} {kind}: no example", operation.path));
            described.assert_described(operation, &described.send(operation, kind, example));
            bodies += 1;
        }
        if contents.is_none() {
            described.assert_described(operation, &described.send(operation, "application/json", &Value::Null));
        }
    }
    assert_eq!((operations.len(), bodies), (22, 10), "operations and bodies of requests");
}

/// The methods of a path, as the server tells them, besides those that come by themselves; `None` where there is no path.
fn methods(described: &Described, path: &str) -> Option<BTreeSet<String>> {
    let options = described.server.app.call("OPTIONS", path, &[], None);
    let allow = (options.status == 204).then(|| options.header("allow").unwrap().to_lowercase())?;
    Some(allow.split(", ").filter(|method| !["head", "options"].contains(method)).map(str::to_owned).collect())
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let described = Described::start(&[]);
    let operations = described.operations();
    let mut known = BTreeSet::new();
    for operation in &operations {
        let target = described.target(operation);
        let path = target.split('?').next().unwrap();
        let of_path = operations.iter().filter(|other| other.path == operation.path);
        assert_eq!(methods(&described, path), Some(of_path.map(|other| other.method.to_owned()).collect()), "{path}");
        known.insert(path.to_owned());
    }
    // Whatever looks like a path in the source is tried.
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/http"))];
    let mut tried = 0;
    while let Some(folder) = folders.pop() {
        for file in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if file.is_dir() {
                folders.push(file);
                continue;
            }
            let text = std::fs::read_to_string(file).unwrap();
            let looks_so = |text: &&str| {
                text.starts_with('/') && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.{}".contains(&b))
            };
            for path in text.split('"').filter(looks_so) {
                let example =
                    |name: &str| known.iter().find_map(|path| path.split(name).nth(1)?.split('/').next()).unwrap();
                let path = path.replace("{id}", example("/api/results/")).replace("{model}", "url");
                let path = path.replace("{version}", example("/versions/"));
                tried += 1;
                assert!(
                    methods(&described, &path).is_none()
                        || known.contains(&path)
                        || path.trim_end_matches('/') == "/docs",
                    "{path}"
                );
            }
        }
    }
    assert!(tried > 20, "{tried}");
}

#[test]
fn what_is_closed_or_limited_is_described_so() {
    let limits = ["models.image.enabled=false", "limits.max_url_bytes=100", "limits.max_batch=7"];
    let described = Described::start(&[&limits[..], &["auth.require_for_predict=true"]].concat());
    let at = |pointer: &str| described.document.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}"));
    assert!(described.document["paths"].get("/classify").is_none());
    assert_eq!(methods(&described, "/classify"), None);
    assert_eq!(at("/paths/~1v2~1models~1{model}/parameters/0/schema/enum"), &serde_json::json!(["url"]));
    for schema in ["UrlRequest/properties/url", "NewResult/properties/url", "Batch/properties/urls/items"] {
        assert_eq!(at(&format!("/components/schemas/{schema}"))["maxLength"], 100, "{schema}");
    }
    for schema in ["Batch/properties/urls", "Answers/properties/results"] {
        assert_eq!(at(&format!("/components/schemas/{schema}"))["maxItems"], 7, "{schema}");
    }
    let data = at("/components/schemas/InferRequest/properties/inputs/items/properties/data");
    assert_eq!((&data["maxItems"], &data["items"]["maxLength"]), (&7.into(), &100.into()));

    let open = Described::start(&[]);
    for path in ["/url", "/urls", "/v2/models/{model}/infer", "/v2/models/{model}/versions/{version}/infer"] {
        let key = serde_json::json!({ "api_key": ["predict"] });
        let closed = &described.document["paths"][path]["post"];
        assert_eq!(closed["security"], serde_json::json!([key]), "{path}");
        assert!(closed["responses"].get("401").is_some() && closed["responses"].get("403").is_some(), "{path}");
        assert_eq!(open.document["paths"][path]["post"]["security"], serde_json::json!([{}, key]), "{path}");
    }
}

#[test]
fn swagger_ui_comes_from_this_server_alone() {
    let server = Sqlite::start(&[]);
    let moved = server.app.raw("GET /docs HTTP/1.1\r\nHost: augur\r\nConnection: close\r\n\r\n".as_bytes());
    assert!(moved.starts_with("HTTP/1.1 308 ") && moved.to_lowercase().contains("\r\nlocation: /docs/\r\n"), "{moved}");
    let page = String::from_utf8(server.app.get("/docs/").body).unwrap();
    let after = |mark: &'static str| page.split(mark).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
    let assets: Vec<String> = after("src=\"").chain(after("href=\"")).collect();
    assert!(assets.iter().any(|asset| asset.ends_with("swagger-ui-bundle.js")), "{assets:?}");
    let mut texts = vec![page.clone()];
    for asset in &assets {
        let answer = server.app.get(&format!("/docs/{}", asset.trim_start_matches("./")));
        assert!(answer.status == 200 && !answer.body.is_empty(), "{asset}");
        if asset.ends_with(".css") || asset.ends_with("initializer.js") {
            texts.push(String::from_utf8(answer.body).unwrap());
        }
    }
    assert!(texts.len() >= 3 && texts.iter().any(|text| text.contains("\"/openapi.json\"")), "{assets:?}");
    for text in texts {
        // The name of SVG is written as an address, which nobody asks.
        let hosts = text.split("://").skip(1).map(|rest| rest.split(['/', '"', '\'', ')']).next().unwrap_or_default());
        assert_eq!(hosts.filter(|host| *host != "www.w3.org").collect::<Vec<_>>(), Vec::<&str>::new());
        assert!(!text.contains("src=\"//") && !text.contains("href=\"//") && !text.contains("url(//"));
    }
    assert_eq!(server.app.get("/docs/nothing.js").status, 404);
}

#[test]
fn a_file_that_a_browser_has_is_not_sent_again() {
    let server = Sqlite::start(&[]);
    let get = |file: &str, tag: &str| server.app.call("GET", &format!("/docs/{file}"), &[("If-None-Match", tag)], None);
    let tag = server.app.get("/docs/").header("etag").unwrap().to_owned();
    for known in [&tag, &format!("W/{tag}"), &format!("\"x\", {tag}"), "*"] {
        let unchanged = get("", known);
        assert_eq!((unchanged.status, unchanged.body.len()), (304, 0), "{known}");
        assert_eq!((unchanged.header("etag"), unchanged.header("cache-control")), (Some(&*tag), Some("no-cache")));
        assert_eq!(get("nothing.js", known).status, 404, "{known}");
    }
    let other = get("", "\"x\"");
    assert_eq!((other.status, other.header("cache-control")), (200, Some("no-cache")));
    let refused = server.app.call("GET", "/docs/", &[("If-Match", "\"x\"")], None);
    let document = server.app.get("/openapi.json").json();
    let response = &document["components"]["responses"]["PreconditionFailed"];
    assert_eq!(refused.json(), response["content"]["application/problem+json"]["example"]);
}
