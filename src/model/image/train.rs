//! Training and judging classifiers of pictures.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::classifier::{ImageAlgorithm, Rows, fit};
use super::folder::{FolderError, Pictures};
use super::image_model::{Body, Content, ImageInfo, ImageModel};
use super::look::Look;
use crate::model::file::write_bounded;
use crate::model::{ArtifactError, DataInfo, PredictError, Progress, Stage};

/// What to train.
#[derive(Debug, Clone)]
pub struct ImageTrainOptions<'a> {
    /// Name of the model; results that it predicts are marked with it.
    pub name: String,
    /// Classifier to fit.
    pub algorithm: ImageAlgorithm,
    /// How it sees a picture.
    pub look: Look,
    /// Seed of the trees; recorded with every model.
    pub seed: u64,
    /// Hold-out data to judge the model on.
    pub validation: Option<&'a Pictures>,
}

/// Figures for one model on labelled pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageMetrics {
    /// Number of pictures judged.
    pub pictures: usize,
    /// Share of pictures that get their label.
    pub accuracy: f64,
    /// Mean over the labels of the share of their pictures that get it: every label counts the same.
    pub mean_recall: f64,
}

/// Why there is no model or no figure, as one sentence.
#[derive(Debug, thiserror::Error)]
pub enum ImageTrainError {
    /// A picture or folder cannot be used.
    #[error("{0}")]
    Folder(#[from] FolderError),
    /// smartcore refused, panicked, or gave what cannot be used.
    #[error("the classifier could not be fitted: {0}")]
    Fit(String),
    /// The model cannot be written or served.
    #[error("{0}")]
    Artifact(#[from] ArtifactError),
    /// The model gives no label for a picture.
    #[error("the model cannot be judged: {0}")]
    Unjudged(PredictError),
}

/// Fits a model on `data` and writes it to `out` in one step at the end. The same data and options give the same model,
/// creation time apart.
///
/// # Errors
/// [`ImageTrainError`]; then nothing is written.
pub fn train_images(
    data: &Pictures,
    options: &ImageTrainOptions<'_>,
    out: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<ImageModel, ImageTrainError> {
    let total = data.count();
    let (features, sha256) =
        data.features(options.look, &mut |done| progress(Progress { stage: Stage::Features, done, total }))?;
    let step = |stage, done| Progress { stage, done, total: 1 };

    progress(step(Stage::Fit, 0));
    let rows =
        Rows { width: options.look.width(), features, labels: data.places().map(|place| place as u32).collect() };
    let fitted = fit(options.algorithm, &rows, options.seed).map_err(ImageTrainError::Fit)?;
    let info = ImageInfo {
        name: options.name.clone(),
        algorithm: options.algorithm,
        look: options.look,
        seed: options.seed,
        labels: data.labels().to_vec(),
        training_data: DataInfo { sha256, rows: data.count() },
    };
    progress(step(Stage::Fit, 1));

    progress(step(Stage::Judge, 0));
    let mut body = Body {
        content: Content { info, fitted },
        created_at_s: jiff::Timestamp::now().as_second(),
        validation: None,
        probe: Vec::new(),
    };
    // Judged is what a server would load; a classifier does not clone, but its bytes do.
    let draft = ImageModel::assembled(Body::decode(&body.encode()?)?)?;
    body.probe = draft.probe()?;
    body.validation = options.validation.map(|pictures| judged(&draft, pictures)).transpose()?;
    let bytes = body.encode()?;
    let model = ImageModel::from_bytes(&bytes)?;
    write_bounded(out, &bytes)?;
    progress(step(Stage::Judge, 1));
    Ok(model)
}

/// Judges a model on labelled pictures, by the labels that it would serve. A label that the model does not know counts
/// as missed.
///
/// # Errors
/// [`ImageTrainError`].
pub fn evaluate_images(model: &ImageModel, pictures: &Pictures) -> Result<ImageMetrics, ImageTrainError> {
    judged(model, pictures).map(|(_, metrics)| metrics)
}

fn judged(model: &ImageModel, pictures: &Pictures) -> Result<(DataInfo, ImageMetrics), ImageTrainError> {
    let look = model.info().look;
    let (features, sha256) = pictures.features(look, &mut |_| ())?;
    let mut counts = vec![(0_usize, 0_usize); pictures.labels().len()];
    for (features, place) in features.chunks_exact(look.width()).zip(pictures.places()) {
        let votes = model.votes_for(features).map_err(ImageTrainError::Unjudged)?;
        let (right, all) = &mut counts[place];
        *all += 1;
        *right += usize::from(model.info().labels.get(model.best(&votes)) == Some(&pictures.labels()[place]));
    }
    let right: usize = counts.iter().map(|(right, _)| right).sum();
    let recalls: f64 = counts.iter().map(|(right, all)| *right as f64 / *all as f64).sum();
    let metrics = ImageMetrics {
        pictures: pictures.count(),
        accuracy: right as f64 / pictures.count() as f64,
        mean_recall: recalls / counts.len() as f64,
    };
    Ok((DataInfo { sha256, rows: pictures.count() }, metrics))
}
