//! Trees: smartcore's random forest and gradient boosting over the features.
//!
//! The fitted trees are kept as smartcore serialises them. Nothing in them is checked by smartcore when they are read, so
//! every call stands behind a panic boundary, and the probe URLs are scored before a model is served.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};
use smartcore::ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters};
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::xgboost::{XGRegressor, XGRegressorParameters};

use super::ArtifactError;
use super::features::{Extractor, FEATURE_COUNT, FeatureRow};

type Matrix = DenseMatrix<f64>;
type Forest = RandomForestRegressor<f64, f64, Matrix, Vec<f64>>;
type Boosting = XGRegressor<f64, f64, Matrix, Vec<f64>>;

/// Trees as a model file holds them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct TreesFile {
    /// Columns of the feature table, ascending, as the trees count them.
    pub(super) columns: Vec<u32>,
    kind: Kind,
    /// smartcore's trees in postcard.
    fitted: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    Forest,
    Boosting,
}

/// How to grow trees. Numbers of rows and trees are whole, which is checked where they are read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Growth {
    Forest { trees: usize, depth: u16, leaf: usize },
    Boosting { trees: usize, depth: u16, rate: f64 },
}

/// Grows trees on some `columns` of `rows`, which need no standardisation.
pub(super) fn grow(
    growth: Growth,
    columns: &[u32],
    rows: &[FeatureRow],
    targets: &Vec<f64>,
    seed: u64,
) -> Result<TreesFile, String> {
    let values = rows.iter().flat_map(|row| columns.iter().map(|&column| row[column as usize])).collect();
    let rows = Matrix::new(rows.len(), columns.len(), values, false).map_err(|error| error.to_string())?;
    let file = |kind, fitted: Result<Vec<u8>, postcard::Error>| {
        let fitted = fitted.map_err(|error| error.to_string())?;
        Ok(TreesFile { columns: columns.to_vec(), kind, fitted })
    };
    guarded(|| match growth {
        Growth::Forest { trees, depth, leaf } => {
            let parameters = RandomForestRegressorParameters::default()
                .with_n_trees(trees)
                .with_max_depth(depth)
                .with_min_samples_leaf(leaf)
                .with_seed(seed);
            let forest = Forest::fit(&rows, targets, parameters).map_err(|error| error.to_string())?;
            file(Kind::Forest, postcard::to_stdvec(&forest))
        }
        Growth::Boosting { trees, depth, rate } => {
            // from the mean on, since smartcore would start at 0.5 whatever the unit
            let mean = targets.iter().sum::<f64>() / targets.len() as f64;
            let parameters = XGRegressorParameters::default()
                .with_n_estimators(trees)
                .with_max_depth(depth)
                .with_learning_rate(rate)
                .with_base_score(mean)
                .with_seed(seed);
            let boosting = Boosting::fit(&rows, targets, parameters).map_err(|error| error.to_string())?;
            file(Kind::Boosting, postcard::to_stdvec(&boosting))
        }
    })
}

/// Trees that can be asked.
#[derive(Debug)]
pub(super) struct Trees {
    columns: Vec<usize>,
    fitted: Fitted,
}

#[derive(Debug)]
enum Fitted {
    Forest(Box<Forest>),
    Boosting(Box<Boosting>),
}

impl Trees {
    pub(super) fn open(file: &TreesFile) -> Result<Self, ArtifactError> {
        let invalid = |reason: String| ArtifactError::Invalid(reason);
        let columns: Vec<usize> = file.columns.iter().map(|&column| column as usize).collect();
        if columns.is_empty() || columns.iter().any(|&column| column >= FEATURE_COUNT) {
            return Err(invalid("it reads a feature that does not exist".to_owned()));
        }
        let fitted = match file.kind {
            Kind::Forest => postcard::from_bytes(&file.fitted).map(|forest| Fitted::Forest(Box::new(forest))),
            Kind::Boosting => postcard::from_bytes(&file.fitted).map(|trees| Fitted::Boosting(Box::new(trees))),
        };
        Ok(Trees { columns, fitted: fitted.map_err(|error| invalid(error.to_string()))? })
    }

    /// One number for each URL.
    pub(super) fn answers(&self, extractor: &mut Extractor, urls: &[&str]) -> Result<Vec<f64>, String> {
        if urls.is_empty() {
            return Ok(Vec::new());
        }
        let mut values = Vec::with_capacity(urls.len() * self.columns.len());
        for url in urls {
            let row = extractor.extract(url);
            values.extend(self.columns.iter().map(|&column| row[column]));
        }
        let answers = guarded(|| {
            let rows = Matrix::new(urls.len(), self.columns.len(), values, false).map_err(|error| error.to_string())?;
            match &self.fitted {
                Fitted::Forest(forest) => forest.predict(&rows).map_err(|error| error.to_string()),
                Fitted::Boosting(boosting) => boosting.predict(&rows).map_err(|error| error.to_string()),
            }
        })?;
        if answers.len() == urls.len() { Ok(answers) } else { Err("it gave a wrong number of answers".to_owned()) }
    }
}

/// smartcore panics where it could say no. The work only reads, so a panic leaves nothing half-changed behind.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("the numeric library panicked".to_owned()))
}
