//! The image table beside the URL table: the same connections, another table.

use augur::domain::{NewResult, Outcome};
use augur::store::{Expected, Inserted, Range, ResultStore, Verdict};

use super::corrections::{delete, put};
use super::key;

/// Labels are stored, found, corrected and listed in `images`, and `urls` knows nothing of them.
pub(crate) fn check(urls: &dyn ResultStore, images: &dyn ResultStore) {
    let wait = urls.acquire_timeout();
    urls.apply_schema().unwrap();
    let failed = || {
        let checks = images.check_schema(&Expected::of_images(Some("image@1".to_owned()))).unwrap();
        checks.into_iter().filter(|check| check.verdict >= Verdict::Warning).count()
    };
    assert_eq!(failed(), 1, "the image table is not there yet");
    images.apply_schema().unwrap();
    assert_eq!(failed(), 0);

    let key = key(&"0f".repeat(32));
    let row = |label: &str| NewResult {
        key: key.clone(),
        outcome: Outcome::Text(label.to_owned()),
        model: Some("image@1".to_owned()),
    };
    let label = |found: Option<augur::store::Found>| found.unwrap().outcome;
    {
        let mut session = images.session(wait).unwrap();
        let stored = session.insert_many(&[row("7")]).unwrap();
        assert_eq!(stored, [Inserted::Stored(Outcome::Text("7".to_owned()))]);
        put(&mut *session, &row("sieben"));
        let found = session.find_many(std::slice::from_ref(&key)).unwrap().remove(0);
        assert_eq!(label(found), Outcome::Text("sieben".to_owned()));
        assert_eq!(session.page(&Range::default(), 10).unwrap().len(), 1);
    }
    let mut other = urls.session(wait).unwrap();
    assert_eq!(other.find_many(std::slice::from_ref(&key)).unwrap(), [None]);
    drop(other);
    assert!(delete(&mut *images.session(wait).unwrap(), &key));
}
