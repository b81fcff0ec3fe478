//! Benchmarks of the model's hot path: features of one URL, and predictions alone and in a batch.
//!
//! `AUGUR_BENCH_MODEL=FILE` measures that model, not the one inside the program.

use std::hint::black_box;

use augur::model::{Extractor, UrlModel};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// 80 bytes, with something for every family of features.
const URL: &str = "http://www.shop.example.co.uk/wp-content/a1b2/secure-login.php?id=42&next=%2Fhom";

fn features(criterion: &mut Criterion) {
    assert_eq!(URL.len(), 80);
    let mut extractor = Extractor::default();
    criterion.bench_function("features/80-byte URL", |bencher| bencher.iter(|| extractor.extract(black_box(URL))));
}

fn predict(criterion: &mut Criterion) {
    let model = match std::env::var_os("AUGUR_BENCH_MODEL") {
        Some(file) => UrlModel::load(file.as_ref()),
        None => UrlModel::embedded(),
    };
    let model = model.expect("the model loads");
    let mut group = criterion.benchmark_group("predict");
    for batch in [1, 64] {
        let urls = vec![URL; batch];
        group.throughput(Throughput::Elements(batch as u64));
        group.bench_function(format!("{batch} URLs"), |bencher| bencher.iter(|| model.predict(black_box(&urls))));
    }
    group.finish();
}

criterion_group!(benches, features, predict);
criterion_main!(benches);
