//! Tests of training.

use smartcore::linear::linear_regression::{LinearRegression, LinearRegressionParameters};
use smartcore::linear::ridge_regression::{RidgeRegression, RidgeRegressionParameters};

use super::*;

const ALL: [Algorithm; 5] =
    [Algorithm::Text, Algorithm::Linear, Algorithm::Ridge, Algorithm::RandomForest, Algorithm::GradientBoosting];

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
    TrainOptions { name: "url".to_owned(), algorithm, parameters: BTreeMap::new(), seed: 0, validation: None }
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
    for algorithm in ALL {
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
    for algorithm in ALL {
        let model = trained(&data, &options(algorithm));
        assert!(!model.info().is_clamped);
        let metrics = &model.info().training_metrics;
        // the target is linear in one feature, which trees take in steps
        let is_linear = matches!(algorithm, Algorithm::Text | Algorithm::Linear | Algorithm::Ridge);
        let least = if is_linear { 0.99 } else { 0.9 };
        assert!(metrics.r2 > Some(least), "{algorithm}: {metrics:?}");
        assert_eq!((metrics.roc_auc, metrics.accuracy), (None, None));
    }
}

#[test]
fn what_is_served_equals_what_smartcore_predicts() {
    let data = numbers();
    let design = Design::of(&extract(&data, &mut |_| ()), |_| true);
    let matrix = design.matrix().expect("the design fits");
    let targets = data.targets().to_vec();
    let ridge = RidgeRegression::fit(&matrix, &targets, RidgeRegressionParameters::default().with_alpha(1.0));
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
    for algorithm in ALL {
        let first = hash(&options(algorithm));
        assert_eq!(first, hash(&options(algorithm)), "{algorithm}");
        assert_ne!(first, hash(&TrainOptions { seed: 1, ..options(algorithm) }), "{algorithm}");
    }
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
fn a_model_of_every_algorithm_comes_back_from_bytes_and_answers_the_same() {
    let data = data();
    let urls: Vec<&str> = data.urls().iter().map(String::as_str).collect();
    for algorithm in ALL {
        let model = trained(&data, &options(algorithm));
        let again = UrlModel::from_bytes(&model.to_bytes().expect("bytes")).expect("a whole file");
        assert_eq!(model.predict(&urls).expect("answers"), again.predict(&urls).expect("answers"), "{algorithm}");
    }
}

#[test]
fn classes_that_cannot_be_told_apart_by_folds_are_refused() {
    let lines: Vec<String> = (0..300).map(|i| format!("http://s{i}.test/{}?{}", i * 7919 % 301, i * i % 97)).collect();
    let csv = |is_one: &dyn Fn(usize) -> bool| {
        let rows = lines.iter().enumerate().map(|(i, url)| format!("{url},{}\n", u8::from(is_one(i))));
        format!("url,result\n{}", rows.collect::<String>())
    };
    let read = |csv: String| Dataset::from_csv(csv.as_bytes(), "data.csv").expect("the table is good");
    let error = train(&read(csv(&|i| i == 3)), &options(Algorithm::Text), &mut |_| ()).expect_err("one row of a class");
    assert!(error.to_string().contains("outside of each of 4 parts"), "{error}");
    let error = train(&read(csv(&|_| true)), &options(Algorithm::Text), &mut |_| ()).expect_err("one class alone");
    assert_eq!(error.to_string(), "all results are 1.0, so there is nothing to learn");
}

#[test]
fn cross_validation_answers_every_row_once() {
    let data = data();
    let judge = |grouping| cross_validate(&data, &options(Algorithm::Ridge), 3, grouping, &mut |_| ());
    for grouping in [Grouping::Host, Grouping::Url] {
        let folds = judge(grouping).expect("enough rows");
        assert_eq!(folds.iter().map(|metrics| metrics.rows).sum::<usize>(), 310);
        assert!(folds.iter().all(|metrics| metrics.roc_auc > Some(0.8)), "{grouping:?}: {folds:?}");
    }
    let few = Dataset::from_csv(b"url,result\na.test/1,0\na.test/2,1\n", "few.csv").expect("a good table");
    let error = cross_validate(&few, &options(Algorithm::Ridge), 2, Grouping::Host, &mut |_| ()).expect_err("one host");
    assert_eq!(error.to_string(), "there are fewer than 2 groups of rows, so 2 folds cannot be made");
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
