//! Tests of the artifact file: what is whole is read, and nothing else.

use proptest::prelude::*;

use sha2::{Digest, Sha256};

use super::*;
use crate::model::container::{CHECKSUM_BYTES, HEADER_BYTES};
use crate::model::regression::Weights;

fn metrics() -> Metrics {
    Metrics {
        rows: 2,
        rmse: 0.1,
        mae: 0.1,
        r2: Some(0.9),
        roc_auc: None,
        mean_result: 0.5,
        mean_score: 0.5,
        accuracy: None,
    }
}

fn body() -> Body {
    Body {
        content: Content {
            name: "url".to_owned(),
            algorithm: Algorithm::Ridge,
            parameters: BTreeMap::from([("alpha".to_owned(), 1.0)]),
            seed: 7,
            training_data: DataInfo { sha256: "00".to_owned(), rows: 2 },
            is_clamped: true,
            regression: Regression::Linear(Weights {
                columns: vec![0, 3],
                means: vec![0.1, 0.2],
                scales: vec![1.0, f64::MIN_POSITIVE],
                coefficients: vec![0.1 + 0.2, -1e300],
                intercept: 5e-324,
            }),
        },
        created_at_s: 1_795_446_062,
        training_metrics: metrics(),
        validation: None,
        probe_answers: vec![0.5],
    }
}

fn bytes() -> Vec<u8> {
    body().encode().expect("a body can be written")
}

/// The file with one part changed and a checksum that fits again.
fn resealed(change: impl Fn(&mut [u8])) -> Vec<u8> {
    let mut bytes = bytes();
    let sealed = bytes.len() - CHECKSUM_BYTES;
    change(&mut bytes[..sealed]);
    let checksum = Sha256::digest(&bytes[..sealed]);
    bytes[sealed..].copy_from_slice(&checksum);
    bytes
}

fn refusal(bytes: &[u8]) -> String {
    Body::decode(bytes).expect_err("the file is bad").to_string()
}

#[test]
fn a_body_comes_back_bit_for_bit() {
    assert_eq!(Body::decode(&bytes()).expect("the file is whole"), body());
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let bytes = bytes();
    for length in 0..bytes.len() {
        let error = Body::decode(&bytes[..length]).expect_err("the file is cut");
        assert!(matches!(error, ArtifactError::NotAModel | ArtifactError::Length { .. }), "{length}: {error}");
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    let whole = bytes();
    for place in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[place] ^= 1 << bit;
            assert!(Body::decode(&bytes).is_err(), "bit {bit} of byte {place}");
        }
    }
}

#[test]
fn each_kind_of_bad_file_gets_its_own_sentence() {
    let all = bytes().len();
    assert_eq!(refusal(b"url,result\n"), "it is not an augur model file");
    assert_eq!(refusal(b""), "it is not an augur model file");
    assert_eq!(refusal(&bytes()[..100]), format!("it is truncated or padded: 100 bytes where its header says {all}"));
    assert_eq!(
        refusal(&[bytes(), vec![0]].concat()),
        format!("it is truncated or padded: {} bytes where its header says {all}", all + 1)
    );
    let mut damaged = bytes();
    damaged[40] ^= 1;
    assert_eq!(refusal(&damaged), "it is damaged: its checksum does not match");
    assert_eq!(refusal(&resealed(|bytes| bytes[8] = 9)), "it has format version 9, and this build reads version 1");
    assert_eq!(
        refusal(&resealed(|bytes| bytes[12] = 77)),
        format!("it was trained on feature schema 77, and this build extracts schema {FEATURE_SCHEMA_VERSION}")
    );
    assert_eq!(refusal(&resealed(|bytes| bytes[14] = 1)), "it is no model of URLs");
    // the length of the name, first in the body, now claims more than there is
    assert!(refusal(&resealed(|bytes| bytes[HEADER_BYTES] = 0x7f)).starts_with("it holds no usable model: "));
}

#[test]
fn the_version_is_time_and_content() {
    let info = body().info().expect("the time is in range");
    assert_eq!(info.created_at, "2026-11-23T15:01:02Z");
    assert_eq!(info.version, format!("20261123T150102Z-{}", info.content_hash));
    assert_eq!(info.content_hash.len(), 12);
}

#[test]
fn the_content_hash_leaves_the_time_out_and_nothing_that_matters() {
    let hash = |body: &Body| body.info().expect("the time is in range").content_hash;
    let first = body();
    let mut later = body();
    later.created_at_s += 1;
    assert_eq!(hash(&first), hash(&later));

    let mut other_seed = body();
    other_seed.content.seed += 1;
    let mut other_weight = body();
    if let Regression::Linear(weights) = &mut other_weight.content.regression {
        weights.intercept = 0.0;
    }
    let mut other_data = body();
    other_data.content.training_data.sha256 = "01".to_owned();
    for other in [other_seed, other_weight, other_data] {
        assert_ne!(hash(&first), hash(&other));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused(noise: Vec<u8>) {
        prop_assert!(Body::decode(&noise).is_err());
    }

    #[test]
    fn a_sealed_file_with_any_body_never_panics(noise: Vec<u8>) {
        let bytes = resealed(|bytes| {
            for (byte, noise) in bytes[HEADER_BYTES..].iter_mut().zip(&noise) {
                *byte = *noise;
            }
        });
        if let Ok(body) = Body::decode(&bytes) {
            let _ = crate::model::UrlModel::from_body(body);
        }
    }
}
