//! Model `url` by the Open Inference Protocol: the same results as `/url`, a batch a request.

use serde_json::{Value, json};

use super::{Server, Table};
use crate::app::Response;

const INFER: &str = "/v2/models/url/infer";

fn asking(urls: &[&str]) -> Value {
    json!({ "inputs": [{ "name": "url", "datatype": "BYTES", "shape": [urls.len()], "data": urls }] })
}

fn infer<T: Table>(server: &Server<T>, request: &Value) -> Response {
    // As tritonclient: without a Content-Type.
    server.app.post_to(INFER, &[], request.to_string().as_bytes())
}

fn error(response: &Response) -> String {
    let body = response.json();
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    body["error"].as_str().unwrap().to_owned()
}

/// A tensor of BYTES in binary form.
fn tensor(elements: &[&[u8]]) -> Vec<u8> {
    elements.iter().flat_map(|element| [&(element.len() as u32).to_le_bytes()[..], element].concat()).collect()
}

pub(super) fn an_inference_looks_up_predicts_and_stores<T: Table>(table: T) {
    let server = Server::start(table);
    let first = server.app.ask("http://known.example/").json()["result"].clone();
    let mut request = asking(&["http://known.example/", "http://new.example/", "http://known.example/"]);
    request["id"] = json!("42");
    // As clients send them that write out what they have no value for.
    request["parameters"] = Value::Null;
    request["outputs"] = Value::Null;
    request["inputs"][0]["parameters"] = Value::Null;
    let response = infer(&server, &request);
    assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
    let body = response.json();
    let (stored, model) = server.table.row("http://new.example/");
    assert_eq!(body["outputs"][0]["data"], json!([first, stored, first]));
    assert_eq!(body["outputs"][0]["name"], "result");
    assert_eq!(body["outputs"][0]["datatype"], "FP64");
    assert_eq!(body["outputs"][0]["shape"], json!([3]));
    assert_eq!(body["id"], "42");
    assert_eq!(body["model_name"], "url");
    assert_eq!(format!("url@{}", body["model_version"].as_str().unwrap()), model);
    let versioned = format!("/v2/models/url/versions/{}", body["model_version"].as_str().unwrap());
    let again =
        server.app.post_to(&format!("{versioned}/infer"), &[], asking(&["http://new.example/"]).to_string().as_bytes());
    assert_eq!(again.json()["outputs"][0]["data"], json!([stored]));

    let metadata = server.app.get("/v2/models/url").json();
    assert_eq!(metadata["versions"][0], body["model_version"]);
    assert_eq!(metadata["inputs"], json!([{ "name": "url", "datatype": "BYTES", "shape": [-1] }]));
    assert_eq!(metadata["outputs"], json!([{ "name": "result", "datatype": "FP64", "shape": [-1] }]));
    assert_eq!(server.app.get(&versioned).json(), metadata);
    assert_eq!(server.app.get("/v2").json()["name"], "augur");
    for path in ["/v2/health/live", "/v2/health/ready", "/v2/models/url/ready", &format!("{versioned}/ready")] {
        assert_eq!(server.app.get(path).status, 200, "{path}");
    }
}

pub(super) fn tensors_are_sent_in_binary_form_both_ways<T: Table>(table: T) {
    let server = Server::start(table);
    let urls: [&[u8]; 2] = ["http://a.example/ä".as_bytes(), b"http://b.example/"];
    let tensor = tensor(&urls);
    let head = json!({
        "inputs": [{ "name": "url", "datatype": "BYTES", "shape": [2, 1], "parameters": { "binary_data_size": tensor.len() } }],
        "outputs": [{ "name": "result", "parameters": { "binary_data": true } }],
    })
    .to_string();
    let body = [head.as_bytes(), &tensor].concat();
    let length = head.len().to_string();
    let response = server.app.post_to(INFER, &[("Inference-Header-Content-Length", &length)], &body);
    assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
    let json_length: usize = response.header("Inference-Header-Content-Length").unwrap().parse().unwrap();
    let (head, values) = response.body.split_at(json_length);
    let head: Value = serde_json::from_slice(head).unwrap();
    assert_eq!(head["outputs"][0]["parameters"]["binary_data_size"], 16);
    assert_eq!(head["outputs"][0]["shape"], json!([2, 1]));
    let expected =
        ["http://a.example/ä", "http://b.example/"].map(|url| server.table.row(url).0.to_le_bytes()).concat();
    assert_eq!(values, expected);
}

pub(super) fn what_fp64_cannot_carry_is_told<T: Table>(table: T) {
    let server = Server::start(table);
    server.table.execute("INSERT INTO URL_RESULT (URL, RESULT) VALUES ('http://null.example/', NULL)");
    let mut request = asking(&["http://null.example/"]);
    assert_eq!(infer(&server, &request).json()["outputs"][0]["data"], json!([null]));
    request["parameters"] = json!({ "binary_data_output": true });
    let response = infer(&server, &request);
    let value = f64::from_le_bytes(response.body[response.body.len() - 8..].try_into().unwrap());
    assert!(value.is_nan(), "{value}");
}

pub(super) fn errors_have_the_protocols_form<T: Table>(table: T) {
    let server = Server::start(table);
    let long = "a".repeat(4001);
    for (request, status, reason) in [
        (asking(&["http://a.example/", ""]), 422, "Element 1 of the input must not be empty."),
        (asking(&[&long]), 422, "the limit is 4000"),
        (asking(&["a\nb"]), 422, "control character"),
        (asking(&vec!["a"; 501]), 422, "the limit is 500"),
        (json!({ "inputs": [] }), 400, "takes one input"),
        (json!([]), 400, "cannot be read as JSON"),
    ] {
        let response = infer(&server, &request);
        assert_eq!(response.status, status, "{request}");
        assert!(error(&response).contains(reason), "{request}: {}", error(&response));
        assert_eq!(response.header("Content-Type"), Some("application/json"));
        assert!(response.header("X-Request-Id").is_some());
    }
    // What is wrong is told, but not all of it sent back.
    let huge = infer(&server, &json!({ "inputs": "\u{e4}".repeat(1 << 20) }));
    assert_eq!((huge.status, error(&huge).chars().count()), (400, 500));
    assert_eq!(server.table.count("SELECT COUNT(*) FROM URL_RESULT"), 0, "a bad element fails the request as a whole");
    for path in [
        "/v2/models/nope",
        "/v2/models/url/versions/7",
        "/v2/models/nope/ready",
        "/v2/nothing",
        "/v2/models/url/stats/x",
    ] {
        let response = server.app.get(path);
        assert_eq!(response.status, 404, "{path}");
        error(&response);
    }
    let response = server.app.get(INFER);
    assert_eq!((response.status, response.header("Allow")), (405, Some("POST, OPTIONS")));
    error(&response);
    let huge = vec![b' '; 4 << 20 | 1];
    let response = server.app.post_to(INFER, &[], &huge);
    assert_eq!(response.status, 413);
    error(&response);
}

pub(super) fn statistics_count_hits_misses_and_predictions<T: Table>(table: T) {
    let server = Server::start(table);
    assert_eq!(infer(&server, &asking(&["http://a.example/", "http://b.example/"])).status, 200);
    assert_eq!(infer(&server, &asking(&["http://a.example/"])).status, 200);
    server.app.ask("http://c.example/");
    let stats = server.app.get("/v2/models/url/stats").json();
    let stats = &stats["model_stats"][0];
    assert_eq!(stats["inference_count"], 4);
    let count = |part: &str| stats["inference_stats"][part]["count"].as_u64().unwrap();
    assert_eq!((count("cache_hit"), count("cache_miss"), count("compute_infer")), (1, 3, 3));
    assert_eq!((count("success"), count("fail")), (4, 0));
    assert!(stats["execution_count"].as_u64().unwrap() <= 3);
    assert!(stats["inference_stats"]["compute_infer"]["ns"].as_u64().unwrap() > 0);
}
