//! `GET /v2/models/{model}/stats`: the statistics extension
//! (<https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_statistics.md>), with the parts that
//! are measured here. The result table is what the protocol calls the response cache.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde_json::{Value, json};

use super::error::InferenceError;
use super::{Model, Target};
use crate::http::Context;
use crate::service::Measured;

pub(super) async fn of_model(context: Data<Context>, target: Path<Target>) -> Result<HttpResponse, InferenceError> {
    let (model, signature, version) = target.find(&context)?;
    let counted = match model {
        Model::Url => context.url.statistics(),
        Model::Image(images) => images.service.statistics(),
    };
    let success = Measured {
        count: counted.successes,
        duration_ns: counted.hits.duration_ns + counted.misses.duration_ns + counted.predictions.duration_ns,
    };
    Ok(HttpResponse::Ok().json(json!({
        "model_stats": [{
            "name": signature.model,
            "version": version.version(),
            "last_inference": counted.last_ms,
            "inference_count": success.count,
            "execution_count": counted.model_calls,
            "inference_stats": {
                "success": duration(success),
                "fail": { "count": counted.failures },
                "compute_infer": duration(counted.predictions),
                "cache_hit": duration(counted.hits),
                "cache_miss": duration(counted.misses),
            },
        }],
    })))
}

fn duration(measured: Measured) -> Value {
    json!({ "count": measured.count, "ns": measured.duration_ns })
}
