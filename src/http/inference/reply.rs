//! What the protocol answers: metadata, readiness, and the output of an inference, as JSON or in binary form.

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_TYPE;
use serde::Serialize;
use serde_json::json;

use super::request::{InferRequest, JSON_LENGTH};
use super::tensor;
use crate::domain::{ModelVersion, Number, Outcome};
use crate::http::error::ApiError;
use crate::service::Answer;

/// Names and types of a model's only input and only output.
pub(super) struct Signature {
    pub(super) model: &'static str,
    /// Of datatype BYTES.
    pub(super) input: &'static str,
    pub(super) output: &'static str,
    pub(super) datatype: &'static str,
}

/// `GET /v2`
pub(super) async fn server() -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "name": "augur",
        "version": env!("CARGO_PKG_VERSION"),
        "extensions": ["binary_tensor_data", "statistics"],
    }))
}

/// `GET /v2/health/live`: no I/O.
pub(super) async fn live() -> HttpResponse {
    yes()
}

/// Live, or ready: the status says it all.
pub(super) fn yes() -> HttpResponse {
    HttpResponse::Ok().finish()
}

/// `GET /v2/models/{model}`
pub(super) fn metadata(signature: &Signature, version: &ModelVersion) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "name": signature.model,
        "versions": [version.version()],
        "platform": "augur_smartcore",
        "inputs": [{ "name": signature.input, "datatype": "BYTES", "shape": [-1] }],
        "outputs": [{ "name": signature.output, "datatype": signature.datatype, "shape": [-1] }],
    }))
}

#[derive(Serialize)]
struct Reply<'a, T> {
    model_name: &'static str,
    model_version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    outputs: [Output<'a, T>; 1],
}

#[derive(Serialize)]
struct Output<'a, T> {
    name: &'static str,
    datatype: &'static str,
    shape: &'a [u64],
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Parameters>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a [T]>,
}

#[derive(Serialize)]
struct Parameters {
    binary_data_size: usize,
}

/// The results of URLs, as FP64: NULL is `null` in JSON and NaN in binary form.
///
/// # Errors
/// 422 where a result is text, which this output cannot carry.
pub(super) fn numbers(
    asked: &InferRequest<'_>,
    signature: &Signature,
    version: &ModelVersion,
    answers: &[Answer],
) -> Result<HttpResponse, ApiError> {
    let mut values: Vec<Option<f64>> = Vec::with_capacity(answers.len());
    for (at, answer) in answers.iter().enumerate() {
        if matches!(answer.outcome, Outcome::Text(_)) {
            let detail = "has a text as its stored result, which FP64 cannot carry: use POST /url".to_owned();
            return Err(ApiError::Entry { at, detail });
        }
        values.push(answer.outcome.number());
    }
    let binary = || values.iter().flat_map(|value| value.unwrap_or(f64::NAN).to_le_bytes()).collect();
    write(asked, signature, version, &values, binary)
}

/// The labels of pictures, as BYTES.
///
/// # Errors
/// 500 where JSON cannot be written.
pub(super) fn labels(
    asked: &InferRequest<'_>,
    signature: &Signature,
    version: &ModelVersion,
    answers: &[Answer],
) -> Result<HttpResponse, ApiError> {
    let label = |answer: &Answer| match &answer.outcome {
        Outcome::Text(label) => label.clone(),
        Outcome::Number(Number::Integer(x)) => x.to_string(),
        Outcome::Number(Number::Float(x)) => x.to_string(),
        Outcome::Null => String::new(),
    };
    let values: Vec<String> = answers.iter().map(label).collect();
    let binary = || {
        let mut bytes = Vec::new();
        values.iter().for_each(|value| tensor::append(&mut bytes, value.as_bytes()));
        bytes
    };
    write(asked, signature, version, &values, binary)
}

fn write<T: Serialize>(
    asked: &InferRequest<'_>,
    signature: &Signature,
    version: &ModelVersion,
    values: &[T],
    binary: impl FnOnce() -> Vec<u8>,
) -> Result<HttpResponse, ApiError> {
    let tensor = asked.binary_output.then(binary);
    let reply = Reply {
        model_name: signature.model,
        model_version: version.version(),
        id: asked.id.as_deref(),
        outputs: [Output {
            name: signature.output,
            datatype: signature.datatype,
            shape: &asked.shape,
            parameters: tensor.as_ref().map(|tensor| Parameters { binary_data_size: tensor.len() }),
            data: tensor.is_none().then_some(values),
        }],
    };
    let Some(tensor) = tensor else { return Ok(HttpResponse::Ok().json(reply)) };
    let mut body = serde_json::to_vec(&reply).map_err(|e| ApiError::internal(e.into()))?;
    let json_length = body.len();
    body.extend_from_slice(&tensor);
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/octet-stream"))
        .insert_header((JSON_LENGTH, json_length))
        .body(body))
}
