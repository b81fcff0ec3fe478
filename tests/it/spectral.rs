//! Spectral, with the rules for OpenAPI and OWASP's for APIs, over the document.

use std::process::Command;

use crate::classify::Sqlite;

#[test]
#[ignore = "needs the npm packages that scripts/test.sh installs"]
fn the_document_has_no_error_by_the_rules_of_owasp() {
    let root = env!("CARGO_MANIFEST_DIR");
    let server = Sqlite::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("openapi.json");
    std::fs::write(&document, server.app.get("/openapi.json").body).unwrap();
    let mut command = Command::new(format!("{root}/target/npm/node_modules/.bin/spectral"));
    command.arg("lint").arg(&document).args(["--fail-severity=error", "--display-only-failures", "--ruleset"]);
    let done =
        command.arg(format!("{root}/tests/clients/spectral.yaml")).output().expect("scripts/test.sh installs it");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}\n{}", String::from_utf8_lossy(&done.stderr));
    // A document that is not read has no errors, either.
    assert!(said.contains("No results with a severity of 'error' found!"), "{said}");
}
