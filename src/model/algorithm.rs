//! Algorithm: the regressions on offer, and what can be set about each.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// The regressions on offer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// Features and hashed 3-5-grams of the text; ridge and logistic regression joined where results are 0 and 1.
    #[default]
    Text,
    /// Ordinary least squares over the features, by QR.
    Linear,
    /// Least squares over the features with a quadratic penalty on the weights, by Cholesky.
    Ridge,
    /// The mean of many trees over the features, each grown on a part of rows and features.
    RandomForest,
    /// A sum of trees over the features, each grown on what the others leave.
    GradientBoosting,
}

/// A number that can be set.
#[derive(Debug)]
pub struct Parameter {
    /// Name, as in `name=value`.
    pub name: &'static str,
    /// Value where none is given.
    pub default: f64,
    /// Values that are taken.
    pub range: RangeInclusive<f64>,
    /// Whether only whole numbers are.
    pub is_whole: bool,
    /// What it is.
    pub doc: &'static str,
}

const fn real(name: &'static str, default: f64, range: RangeInclusive<f64>, doc: &'static str) -> Parameter {
    Parameter { name, default, range, is_whole: false, doc }
}

const fn whole(name: &'static str, default: f64, range: RangeInclusive<f64>, doc: &'static str) -> Parameter {
    Parameter { name, default, range, is_whole: true, doc }
}

const TEXT: &[Parameter] = &[
    real("alpha", 0.5, 1e-6..=1e6, "penalty of the ridge"),
    real("c", 50.0, 1e-6..=1e6, "inverse penalty of the logistic regression"),
    whole("folds", 4.0, 2.0..=20.0, "parts that the joining regression is fitted on"),
];
const RIDGE: &[Parameter] = &[real("alpha", 1.0, 1e-6..=1e6, "penalty")];
const FOREST: &[Parameter] = &[
    whole("trees", 50.0, 1.0..=500.0, "number of trees"),
    whole("depth", 16.0, 1.0..=30.0, "most splits above a leaf"),
    whole("leaf", 5.0, 1.0..=1e6, "fewest rows in a leaf"),
];
const BOOSTING: &[Parameter] = &[
    whole("trees", 20.0, 1.0..=500.0, "number of trees"),
    whole("depth", 6.0, 1.0..=30.0, "most splits above a leaf"),
    real("rate", 0.3, 1e-3..=1.0, "share of a tree's answer that counts"),
];

impl Algorithm {
    /// What can be set about it.
    pub fn parameters(self) -> &'static [Parameter] {
        match self {
            Algorithm::Text => TEXT,
            Algorithm::Linear => &[],
            Algorithm::Ridge => RIDGE,
            Algorithm::RandomForest => FOREST,
            Algorithm::GradientBoosting => BOOSTING,
        }
    }

    /// What it costs and reaches with its defaults, for people: fitted to 30,572 URLs and judged on 4,110 of other hosts
    /// (the table in the README has the command).
    pub fn cost(self) -> &'static str {
        match self {
            Algorithm::Text => "44 s of CPU time, 136 MB; 492 KB, 7 us a URL; accuracy .976",
            Algorithm::Linear => "1 s, 104 MB; 3 KB, 5 us a URL; accuracy .938",
            Algorithm::Ridge => "9 s, 125 MB; 3 KB, 5 us a URL; accuracy .938",
            Algorithm::RandomForest => "9 s, 128 MB; 2.9 MB, 46 us a URL; accuracy .952",
            Algorithm::GradientBoosting => "24 s, 83 MB; 70 KB, 15 us a URL; accuracy .946",
        }
    }

    /// All parameters: the `given` ones, and defaults for the others.
    ///
    /// # Errors
    /// A sentence on the first given one that does not exist or is out of range.
    pub(super) fn resolve(self, given: &BTreeMap<String, f64>) -> Result<BTreeMap<String, f64>, String> {
        let known = self.parameters();
        for (name, &value) in given {
            let Some(parameter) = known.iter().find(|parameter| parameter.name == name) else {
                let names: Vec<&str> = known.iter().map(|parameter| parameter.name).collect();
                let names = if names.is_empty() { "there are none".to_owned() } else { names.join(", ") };
                return Err(format!("{self} has no parameter `{name}`; known: {names}"));
            };
            if !parameter.range.contains(&value) || (parameter.is_whole && value.fract() != 0.0) {
                let (kind, range) = (if parameter.is_whole { "a whole number" } else { "a number" }, &parameter.range);
                return Err(format!("`{name}` must be {kind} from {} to {}, not {value}", range.start(), range.end()));
            }
        }
        let value = |parameter: &Parameter| given.get(parameter.name).copied().unwrap_or(parameter.default);
        Ok(known.iter().map(|parameter| (parameter.name.to_owned(), value(parameter))).collect())
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // not written as it is, which would leave out the width that a column asks for
        out.pad(match self {
            Algorithm::Text => "text",
            Algorithm::Linear => "linear",
            Algorithm::Ridge => "ridge",
            Algorithm::RandomForest => "random-forest",
            Algorithm::GradientBoosting => "gradient-boosting",
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn parameters_that_do_not_exist_or_are_out_of_range_are_refused() {
        let refusal = |algorithm: Algorithm, name: &str, value: f64| {
            algorithm.resolve(&BTreeMap::from([(name.to_owned(), value)])).expect_err("a bad parameter")
        };
        assert_eq!(refusal(Algorithm::Text, "tree", 1.0), "text has no parameter `tree`; known: alpha, c, folds");
        assert_eq!(refusal(Algorithm::Linear, "a", 1.0), "linear has no parameter `a`; known: there are none");
        let sentence = "`trees` must be a whole number from 1 to 500, not ";
        for value in [0.0, 1.5, 501.0, f64::NAN] {
            assert_eq!(refusal(Algorithm::RandomForest, "trees", value), format!("{sentence}{value}"));
        }
        assert!(refusal(Algorithm::Ridge, "alpha", f64::INFINITY).starts_with("`alpha` must be a number from"));
    }

    #[test]
    fn defaults_are_in_range_and_names_are_those_of_the_command_line() {
        for algorithm in Algorithm::value_variants() {
            let defaults = algorithm.resolve(&BTreeMap::new()).expect("defaults");
            assert_eq!(algorithm.resolve(&defaults).as_ref(), Ok(&defaults));
            let name = algorithm.to_possible_value().expect("a name");
            assert_eq!(name.get_name(), algorithm.to_string());
            assert_eq!(serde_json::to_value(algorithm).expect("a name"), algorithm.to_string());
        }
    }
}
