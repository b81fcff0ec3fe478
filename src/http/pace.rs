//! How a body has to come for which room is held: soon, and then fast enough.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use actix_web::error::PayloadError;
use actix_web::web::{Bytes, Payload};
use futures_util::stream::{self, LocalBoxStream};
use futures_util::{Stream, StreamExt};

use super::body::declared_bytes;
use super::error::ApiError;

/// What a body that does not say how long it is is taken for: the longest, for which its room is, would be too fast for the
/// small one on a slow line that it mostly is.
const UNDECLARED_BYTES: usize = 1 << 20;

/// A body as it arrives.
pub(super) type Body = LocalBoxStream<'static, Result<Bytes, PayloadError>>;

/// A body, once it has begun to arrive: what is held for it is not held for a client that sends nothing.
///
/// # Errors
/// 408 where it does not begin until `deadline`.
pub(super) async fn begun(
    mut payload: Payload,
    deadline: Instant,
) -> Result<impl Stream<Item = Result<Bytes, PayloadError>> + Unpin, ApiError> {
    let first = tokio::time::timeout_at(deadline.into(), payload.next()).await.map_err(|_| ApiError::SlowBody)?;
    Ok(stream::iter(first).chain(payload))
}

/// A body, which breaks off where it falls behind the [`Pace`] that the room held for it asks for.
pub(super) fn paced(
    request: &HttpRequest,
    payload: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin + 'static,
    room_bytes: usize,
    deadline: Instant,
) -> Body {
    let expected_bytes = if declared_bytes(request).is_some() { room_bytes } else { room_bytes.min(UNDECLARED_BYTES) };
    let began = Instant::now();
    let pace = Pace { began, time: deadline.saturating_duration_since(began), expected_bytes };
    let chunks = stream::unfold((payload, 0), move |(mut payload, arrived_bytes)| async move {
        let next = tokio::time::timeout_at(pace.next_by(arrived_bytes).into(), payload.next()).await;
        let chunk = next.unwrap_or_else(|_| Some(Err(PayloadError::Io(ErrorKind::TimedOut.into()))))?;
        let arrived_bytes = arrived_bytes + chunk.as_ref().map_or(0, Bytes::len);
        Some((chunk, (payload, arrived_bytes)))
    });
    // The multipart parser asks again after the end.
    chunks.fuse().boxed_local()
}

/// Whether it is a [`paced`] body that fell behind.
pub(super) fn fell_behind(error: &PayloadError) -> bool {
    matches!(error, PayloadError::Io(error) if error.kind() == ErrorKind::TimedOut)
}

/// How fast a body has to come for which room is held: it may lag a quarter of its time behind the steady pace that would
/// just be in time. So nobody holds room to the end without sending most of what it is for, or of [`UNDECLARED_BYTES`]; but a
/// quarter of the time any client may hold it in silence.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// When the room was there.
    began: Instant,
    /// From then to the deadline.
    time: Duration,
    expected_bytes: usize,
}

impl Pace {
    /// Until when more has to come of a body of which so much is there: then
    /// `expected_bytes * (elapsed - time / 4) / time` bytes would have to be.
    fn next_by(&self, arrived_bytes: usize) -> Instant {
        let expected_bytes = self.expected_bytes.max(1);
        let share = arrived_bytes.min(expected_bytes) as f64 / expected_bytes as f64;
        self.began + self.time.mul_f64(0.25 + share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_may_lag_a_quarter_of_its_time() {
        let pace = Pace { began: Instant::now(), time: Duration::from_secs(4), expected_bytes: 1000 };
        let next_by = |pace: Pace, arrived_bytes| (pace.next_by(arrived_bytes) - pace.began).as_millis();
        for (arrived_bytes, by_ms) in [(0, 1000), (1, 1004), (250, 2000), (500, 3000), (750, 4000), (1000, 5000)] {
            assert_eq!(next_by(pace, arrived_bytes), by_ms, "{arrived_bytes} bytes");
        }
        // More than is expected, of the parts beside the picture.
        assert_eq!(next_by(pace, 2000), 5000);
        // Neither room nor time, which is no reason to fail.
        assert_eq!(next_by(Pace { expected_bytes: 0, ..pace }, 0), 1000);
        assert_eq!(next_by(Pace { time: Duration::ZERO, ..pace }, 10), 0);
    }
}
