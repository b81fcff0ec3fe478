//! `GET /v2/models/{model}/stats`: the statistics extension
//! (<https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_statistics.md>), with the parts that
//! are measured here. The result table, with the memory before it, is what the protocol calls the response cache; what the
//! memory does by itself is told beside, in a member of our own.

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
    let memory_hits = counted.cache.map_or(0, |cache| cache.hits);
    // From memory takes no time worth measuring.
    let hits = Measured { count: counted.hits.count + memory_hits, ..counted.hits };
    let mut stats = json!({
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
                "cache_hit": duration(hits),
                "cache_miss": duration(counted.misses),
            },
        }],
    });
    if let Some(cache) = counted.cache {
        stats["model_stats"][0]["memory_cache"] = json!({
            "hits": cache.hits,
            "misses": cache.misses,
            "entries": cache.entries,
            "evictions": cache.evictions,
        });
    }
    Ok(HttpResponse::Ok().json(stats))
}

fn duration(measured: Measured) -> Value {
    json!({ "count": measured.count, "ns": measured.duration_ns })
}
