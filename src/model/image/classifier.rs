//! Classifier: from features to a share of the votes for each label. smartcore fits, and its faults stay in here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};
use smartcore::algorithm::neighbour::KNNAlgorithmName;
use smartcore::ensemble::random_forest_classifier::{RandomForestClassifier, RandomForestClassifierParameters};
use smartcore::linalg::basic::arrays::Array;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::logistic_regression::{LogisticRegression, LogisticRegressionParameters};
use smartcore::metrics::distance::euclidian::Euclidian;
use smartcore::neighbors::KNNWeightFunction;
use smartcore::neighbors::knn_classifier::{KNNClassifier, KNNClassifierParameters};

/// Trees of a forest.
const TREES: u64 = 100;
/// Neighbours that vote.
const NEIGHBOURS: usize = 5;
/// Strength of logistic regression's penalty on the weights.
const LOGISTIC_ALPHA: f64 = 1.0;

/// The classifiers on offer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ImageAlgorithm {
    /// 100 decision trees; a score is the share of the trees.
    #[default]
    RandomForest,
    /// The 5 nearest pictures of the training data, nearer ones counting more; a score is the share of their votes.
    Knn,
    /// Logistic regression; a score is a probability.
    Logistic,
}

impl std::fmt::Display for ImageAlgorithm {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            ImageAlgorithm::RandomForest => "random-forest",
            ImageAlgorithm::Knn => "knn",
            ImageAlgorithm::Logistic => "logistic",
        })
    }
}

/// Labelled features: `width` bytes for each of `labels`, one after the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Rows {
    pub(super) width: usize,
    pub(super) features: Vec<u8>,
    /// Places in the model's list of labels; all of them occur.
    pub(super) labels: Vec<u32>,
}

/// One tree. smartcore's own forest of many does not tell the votes, so ours is many forests of one tree, each with a
/// seed of its own.
type Tree = RandomForestClassifier<f32, u32, DenseMatrix<f32>, Vec<u32>>;
type Neighbours = KNNClassifier<f32, u32, DenseMatrix<f32>, Vec<u32>, Euclidian<f32>>;

/// What is kept of a fitted classifier.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Fitted {
    Forest(Vec<Tree>),
    Neighbours(Rows),
    /// A row of weights for each label and its bias last; a single row where there are two labels.
    Logistic(Vec<Vec<f64>>),
}

/// A classifier that can be asked.
#[derive(Debug)]
pub(super) enum Classifier {
    Forest(Vec<Tree>),
    Neighbours(Box<Neighbours>),
    Logistic(Vec<Vec<f64>>),
}

/// Fits `algorithm` to rows of at least two labels.
pub(super) fn fit(algorithm: ImageAlgorithm, rows: &Rows, seed: u64) -> Result<Fitted, String> {
    guarded(|| match algorithm {
        ImageAlgorithm::RandomForest => {
            let matrix = matrix(&rows.features, rows.width)?;
            let parameters = RandomForestClassifierParameters::default().with_n_trees(1);
            let tree = |place| Tree::fit(&matrix, &rows.labels, parameters.clone().with_seed(seed.wrapping_add(place)));
            (0..TREES).map(tree).collect::<Result<_, _>>().map(Fitted::Forest).map_err(|e| e.to_string())
        }
        ImageAlgorithm::Knn => Ok(Fitted::Neighbours(rows.clone())),
        ImageAlgorithm::Logistic => {
            let values: Vec<f64> = rows.features.iter().map(|byte| f64::from(*byte) / 255.0).collect();
            let matrix = DenseMatrix::new(rows.labels.len(), rows.width, values, false).map_err(|e| e.to_string())?;
            let parameters = LogisticRegressionParameters::default().with_alpha(LOGISTIC_ALPHA);
            let model = LogisticRegression::fit(&matrix, &rows.labels, parameters).map_err(|e| e.to_string())?;
            let (weights, biases) = (model.coefficients(), model.intercept());
            let row = |label: usize| {
                let bias = *biases.get((label, 0));
                (0..rows.width).map(|column| *weights.get((label, column))).chain([bias]).collect()
            };
            Ok(Fitted::Logistic((0..weights.shape().0).map(row).collect()))
        }
    })
}

impl Fitted {
    /// The classifier of `width` features and `labels` labels, once what a file may say wrongly is checked.
    pub(super) fn ready(self, width: usize, labels: usize) -> Result<Classifier, String> {
        match self {
            Self::Forest(trees) if trees.is_empty() => Err("its forest has no trees".to_owned()),
            Self::Forest(trees) => Ok(Classifier::Forest(trees)),
            Self::Neighbours(rows) => {
                let known = |label: &u32| (*label as usize) < labels;
                if rows.width != width
                    || rows.features.len() != width * rows.labels.len()
                    || !rows.labels.iter().all(known)
                    || (0..labels).any(|label| !rows.labels.contains(&(label as u32)))
                {
                    return Err("its rows do not fit its labels".to_owned());
                }
                guarded(|| {
                    let matrix = matrix(&rows.features, rows.width)?;
                    let parameters = KNNClassifierParameters::default()
                        .with_k(NEIGHBOURS.min(rows.labels.len()))
                        .with_algorithm(KNNAlgorithmName::LinearSearch)
                        .with_weight(KNNWeightFunction::Distance);
                    let model = Neighbours::fit(&matrix, &rows.labels, parameters).map_err(|e| e.to_string())?;
                    Ok(Classifier::Neighbours(Box::new(model)))
                })
            }
            Self::Logistic(weights) => {
                let rows = if labels == 2 { 1 } else { labels };
                let usable = |row: &Vec<f64>| row.len() == width + 1 && row.iter().all(|weight| weight.is_finite());
                if weights.len() != rows || !weights.iter().all(usable) {
                    return Err("its weights do not fit its labels, or are not finite".to_owned());
                }
                Ok(Classifier::Logistic(weights))
            }
        }
    }
}

impl Classifier {
    /// The share of each of `labels` labels, from 0 to 1, for one row of features; they sum up to 1.
    pub(super) fn votes(&self, features: &[u8], labels: usize) -> Result<Vec<f64>, String> {
        let votes = match self {
            Self::Forest(trees) => guarded(|| {
                let matrix = matrix(features, features.len())?;
                let mut votes = vec![0.0; labels];
                for tree in trees {
                    let label = tree.predict(&matrix).map_err(|e| e.to_string())?;
                    let label = label.first().and_then(|label| votes.get_mut(*label as usize));
                    *label.ok_or("a tree names a label that does not exist")? += 1.0 / trees.len() as f64;
                }
                Ok(votes)
            })?,
            Self::Neighbours(model) => guarded(|| {
                let votes = model.predict_proba(&matrix(features, features.len())?).map_err(|e| e.to_string())?;
                votes.into_iter().next().ok_or_else(|| "no neighbours were found".to_owned())
            })?,
            Self::Logistic(weights) => probabilities(weights, features),
        };
        if votes.len() != labels || votes.iter().any(|vote| !vote.is_finite()) {
            return Err("the votes are not finite".to_owned());
        }
        Ok(votes)
    }
}

fn probabilities(weights: &[Vec<f64>], features: &[u8]) -> Vec<f64> {
    let score = |row: &Vec<f64>| -> f64 {
        let bias = row.last().copied().unwrap_or(0.0);
        bias + row.iter().zip(features).map(|(weight, byte)| weight * f64::from(*byte) / 255.0).sum::<f64>()
    };
    let mut scores: Vec<f64> = weights.iter().map(score).collect();
    if let [second] = scores[..] {
        // With two labels the one row speaks for the second against the first.
        scores = vec![0.0, second];
    }
    let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = scores.iter().map(|score| (score - highest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

fn matrix(features: &[u8], width: usize) -> Result<DenseMatrix<f32>, String> {
    let values: Vec<f32> = features.iter().map(|byte| f32::from(*byte) / 255.0).collect();
    let rows = features.len().checked_div(width).unwrap_or(0);
    DenseMatrix::new(rows, width, values, false).map_err(|e| e.to_string())
}

/// smartcore panics where it could say no. The work only reads, so a panic leaves nothing half-changed behind.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("the numeric library panicked".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One grey, as four features see it.
    fn cells(brightness: u8) -> [u8; 4] {
        [brightness, brightness, 255 - brightness, brightness / 2]
    }

    /// Three labels: dark, middling, bright.
    fn rows() -> Rows {
        let labels: Vec<u32> = (0..60).map(|row| row % 3).collect();
        let brightness = |(row, label): (usize, &u32)| cells(*label as u8 * 100 + (row % 7) as u8);
        Rows { width: 4, features: labels.iter().enumerate().flat_map(brightness).collect(), labels }
    }

    #[test]
    fn every_algorithm_learns_what_is_plain_and_its_shares_sum_up_to_one() {
        for algorithm in [ImageAlgorithm::RandomForest, ImageAlgorithm::Knn, ImageAlgorithm::Logistic] {
            let classifier = fit(algorithm, &rows(), 1).and_then(|fitted| fitted.ready(4, 3)).expect("a classifier");
            for (brightness, label) in [(3, 0), (103, 1), (203, 2)] {
                let votes = classifier.votes(&cells(brightness), 3).expect("votes");
                assert!((votes.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{algorithm}: {votes:?}");
                let best = (0..3).max_by(|a, b| votes[*a].total_cmp(&votes[*b]));
                assert_eq!(best, Some(label), "{algorithm}: {votes:?}");
            }
        }
    }

    #[test]
    fn two_labels_are_enough_for_every_algorithm() {
        let rows = Rows { width: 1, features: vec![0, 255, 10, 245], labels: vec![0, 1, 0, 1] };
        for algorithm in [ImageAlgorithm::RandomForest, ImageAlgorithm::Knn, ImageAlgorithm::Logistic] {
            let classifier = fit(algorithm, &rows, 1).and_then(|fitted| fitted.ready(1, 2)).expect("a classifier");
            assert!(classifier.votes(&[250], 2).expect("votes")[1] > 0.5, "{algorithm}");
            assert!(classifier.votes(&[5], 2).expect("votes")[0] > 0.5, "{algorithm}");
        }
    }

    #[test]
    fn what_a_file_says_wrongly_is_refused() {
        let wrong = [
            Fitted::Forest(Vec::new()),
            Fitted::Neighbours(Rows { width: 3, ..rows() }),
            Fitted::Neighbours(Rows { labels: vec![7; 60], ..rows() }),
            Fitted::Logistic(vec![vec![0.0; 5]; 2]),
            Fitted::Logistic(vec![vec![f64::NAN; 5]; 3]),
        ];
        for fitted in wrong {
            assert!(fitted.ready(4, 3).is_err());
        }
    }
}
