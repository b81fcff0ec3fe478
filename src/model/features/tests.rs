//! Tests of the feature extraction.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

fn feature(url: &str, column: C) -> f64 {
    Extractor::default().extract(url)[column as usize]
}

#[test]
fn names_are_unique_and_every_feature_has_a_formula_and_a_unit() {
    let names: HashSet<_> = FEATURES.iter().map(|feature| feature.name).collect();
    assert_eq!(names.len(), FEATURE_COUNT);
    assert!(FEATURES.iter().all(|feature| !feature.formula.is_empty() && !feature.unit.is_empty()));
}

#[test]
fn features_follow_the_formulas_of_the_table() {
    let url = "https://www.Shop.example.co.uk/a-b/login.php?id=12&amp;x=%40";
    let cases = [
        (C::UrlLength, 60_f64.ln_1p()),
        (C::UrlDigits, 4_f64.ln_1p()),
        (C::UrlUppercase, 1_f64.ln_1p()),
        (C::UrlUppercaseShare, 1.0 / 60.0),
        (C::UrlEscapedAmpersands, 1_f64.ln_1p()),
        (C::UrlEmail, 1.0),
        (C::SchemeHttps, 1.0),
        (C::HostLabels, 5_f64.ln_1p()),
        (C::HostSubdomains, 1_f64.ln_1p()),
        (C::HostWww, 1.0),
        (C::DomainLength, 7_f64.ln_1p()),
        (C::TldCountry, 1.0),
        (C::PathDepth, 2_f64.ln_1p()),
        (C::PathPhp, 1.0),
        (C::PathHtml, 0.0),
        (C::PathAccountWords, 1_f64.ln_1p()),
        (C::QueryParameters, 2_f64.ln_1p()),
        (C::FragmentPresent, 0.0),
    ];
    for (column, expected) in cases {
        let found = feature(url, column);
        assert!((found - expected).abs() < 1e-12, "{column:?}: {found} instead of {expected}");
    }
}

#[test]
fn entropy_is_that_of_shannon() {
    for (text, bits) in [(&b""[..], 0.0), (b"aaaa", 0.0), (b"abab", 1.0), (b"abcdefgh", 3.0)] {
        assert!((Profile::of(text).entropy(text) - bits).abs() < 1e-12);
    }
}

#[test]
fn a_brand_as_the_domain_itself_is_not_a_brand_elsewhere() {
    assert_eq!(feature("https://paypal.com/", C::DomainBrand), 1.0);
    assert_eq!(feature("https://paypal.com/", C::HostBrands), 0.0);
    assert_eq!(feature("https://paypal.com.example.test/", C::DomainBrand), 0.0);
    assert!(feature("https://paypal.com.example.test/", C::HostBrands) > 0.0);
}

#[test]
fn an_address_as_host_has_no_labels() {
    let url = "http://192.0.2.7/verify";
    assert_eq!(feature(url, C::HostIp), 1.0);
    assert_eq!(feature(url, C::TldLength), 0.0);
}

proptest! {
    #[test]
    fn any_text_gives_finite_features(url in ".*") {
        prop_assert!(Extractor::default().extract(&url).iter().all(|value| value.is_finite()));
    }

    #[test]
    fn anything_like_a_url_gives_finite_features(
        url in "([a-z]{0,6}:?/{0,3})?[a-zA-Z0-9.@:\\[\\]-]{0,40}[/a-z.&;%?#=~é€ ]{0,60}"
    ) {
        prop_assert!(Extractor::default().extract(&url).iter().all(|value| value.is_finite()));
    }

    #[test]
    fn a_used_extractor_answers_like_a_new_one(first in ".*", second in ".*") {
        let mut used = Extractor::default();
        used.extract(&first);
        prop_assert_eq!(used.extract(&second), Extractor::default().extract(&second));
    }
}
