//! How one operation on stored results leads to another.

use utoipa::openapi::link::LinkBuilder;
use utoipa::openapi::{OpenApi, RefOr};

/// The answer that leads on: path, method, status; where its id and, if any, its tag are.
const FROM: [(&str, &str, &str, &str, Option<&str>); 5] = [
    ("/api/results", "post", "201", "$response.body#/id", Some("$response.header.ETag")),
    ("/api/results/{id}", "get", "200", "$response.body#/id", Some("$response.header.ETag")),
    ("/api/results/{id}", "put", "200", "$response.body#/id", Some("$response.header.ETag")),
    ("/api/results/{id}", "put", "201", "$response.body#/id", Some("$response.header.ETag")),
    ("/api/results/{id}", "delete", "204", "$request.path.id", None),
];

/// Where to: name, operation, and whether it is done only while the row is as it was.
const TO: [(&str, &str, bool); 4] = [
    ("get", "get_result", false),
    ("correct", "put_result", true),
    ("put", "put_result", false),
    ("forget", "delete_result", true),
];

/// Adds the links.
pub(super) fn describe(api: &mut OpenApi) {
    for (path, method, status, id, tag) in FROM {
        let Some(item) = api.paths.paths.get_mut(path) else { continue };
        let operation = match method {
            "post" => &mut item.post,
            "put" => &mut item.put,
            "delete" => &mut item.delete,
            _ => &mut item.get,
        };
        let responses = operation.iter_mut().flat_map(|operation| operation.responses.responses.get_mut(status));
        for response in responses {
            let RefOr::T(response) = response else { continue };
            for (name, operation_id, conditional) in TO {
                let mut link = LinkBuilder::new().operation_id(operation_id).parameter("id", id);
                match tag {
                    Some(tag) if conditional => link = link.parameter("If-Match", tag),
                    None if conditional && name == "correct" => continue,
                    _ => {}
                }
                response.links.insert(name.to_owned(), link.build().into());
            }
        }
    }
}
