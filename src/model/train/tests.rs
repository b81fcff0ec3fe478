//! Tests of training.

use super::*;

const TRAIN_CSV: &[u8] = include_bytes!("../../../tests/data/urls.csv");

fn data() -> Dataset {
    Dataset::from_csv(TRAIN_CSV, "urls.csv").expect("the test data is good")
}

/// The test URLs with another target: a number that is no class.
fn numbers() -> Dataset {
    let mut csv = "url,result\n".to_owned();
    for url in data().urls() {
        csv.push_str(&format!("\"{url}\",{}\n", 3.0 * (url.len() as f64).ln_1p() - 100.0));
    }
    Dataset::from_csv(csv.as_bytes(), "numbers.csv").expect("the table is good")
}

fn options(algorithm: Algorithm) -> TrainOptions<'static> {
    TrainOptions { name: "url".to_owned(), algorithm, seed: 0, validation: None }
}

fn trained(data: &Dataset, options: &TrainOptions<'_>) -> UrlModel {
    train(data, options, &mut |_| ()).expect("the data can be learnt").0
}

#[test]
fn rows_that_were_held_out_are_told_apart() {
    let text = std::str::from_utf8(TRAIN_CSV).expect("the test data is text");
    let lines: Vec<&str> = text.lines().skip(1).collect();
    let (first, last) = lines.split_at(200);
    let part = |lines: &[&str]| {
        Dataset::from_csv(format!("url,result\n{}\n", lines.join("\n")).as_bytes(), "part.csv").expect("a good part")
    };
    let (learnt, held_out) = (part(first), part(last));
    for algorithm in [Algorithm::Linear, Algorithm::Ridge] {
        let options = TrainOptions { validation: Some(&held_out), ..options(algorithm) };
        let model = trained(&learnt, &options);
        let metrics = model.info().validation_metrics.clone().expect("hold-out data was given");
        assert_eq!(metrics.rows, 110);
        assert!(metrics.roc_auc > Some(0.9), "{algorithm}: {metrics:?}");
        assert_eq!(metrics, evaluate(&model, &held_out).expect("finite scores"));
    }
}

#[test]
fn a_numeric_target_is_learnt_and_not_clamped() {
    let data = numbers();
    for algorithm in [Algorithm::Linear, Algorithm::Ridge] {
        let model = trained(&data, &options(algorithm));
        assert!(!model.info().is_clamped);
        let metrics = &model.info().training_metrics;
        // the target is linear in one feature
        assert!(metrics.r2 > Some(0.99), "{algorithm}: {metrics:?}");
        assert_eq!((metrics.roc_auc, metrics.accuracy), (None, None));
    }
}

#[test]
fn what_is_served_equals_what_smartcore_predicts() {
    let data = numbers();
    let design = Design::of(&extract(&data, &mut |_| ()));
    let matrix = design.matrix().expect("the design fits");
    let targets = data.targets().to_vec();
    let ridge = RidgeRegression::fit(&matrix, &targets, RidgeRegressionParameters::default().with_alpha(RIDGE_ALPHA));
    let linear = LinearRegression::fit(&matrix, &targets, LinearRegressionParameters::default());
    let expected = [
        (Algorithm::Ridge, ridge.and_then(|model| model.predict(&matrix)).expect("ridge fits")),
        (Algorithm::Linear, linear.and_then(|model| model.predict(&matrix)).expect("linear fits")),
    ];
    let urls: Vec<&str> = data.urls().iter().map(String::as_str).collect();
    for (algorithm, expected) in expected {
        let served = trained(&data, &options(algorithm)).predict(&urls).expect("finite scores");
        for (served, expected) in served.iter().zip(&expected) {
            assert!((served - expected).abs() < 1e-8, "{algorithm}: {served} {expected}");
        }
    }
}

#[test]
fn the_same_data_and_seed_give_the_same_hash_and_another_seed_another() {
    let data = data();
    let hash = |options: &TrainOptions<'_>| trained(&data, options).info().content_hash.clone();
    let first = hash(&options(Algorithm::Ridge));
    assert_eq!(first, hash(&options(Algorithm::Ridge)));
    assert_ne!(first, hash(&TrainOptions { seed: 1, ..options(Algorithm::Ridge) }));
    assert_ne!(first, hash(&options(Algorithm::Linear)));
}

#[test]
fn too_little_data_is_refused_in_one_sentence() {
    let refusal = |csv: &str| {
        let data = Dataset::from_csv(csv.as_bytes(), "data.csv").expect("the table is good");
        train(&data, &options(Algorithm::Ridge), &mut |_| ()).expect_err("there is too little data").to_string()
    };
    assert_eq!(
        refusal("url,result\nhttp://a.test/,1\nhttp://a.test/,0\n"),
        "all URLs look the same to the features, so there is nothing to learn from"
    );
    let sentence = refusal("url,result\nhttp://a.test/,1\nhttps://b.example/x,0\n");
    assert_eq!(sentence, "2 rows are too few to fit 1 features; at least 3 are needed");
}

#[test]
fn progress_passes_through_every_stage_to_its_end() {
    let mut seen = Vec::new();
    train(&data(), &options(Algorithm::Ridge), &mut |progress| seen.push(progress)).expect("the data can be learnt");
    assert!(seen.iter().all(|progress| progress.done <= progress.total));
    for stage in [Stage::Features, Stage::Fit, Stage::Judge] {
        let last = seen.iter().rfind(|progress| progress.stage == stage).expect("every stage reports");
        assert_eq!(last.done, last.total);
    }
}
