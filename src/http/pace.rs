//! How a body has to come for which room is held: soon, and then fast enough.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use actix_web::error::PayloadError;
use actix_web::web::{Bytes, Payload};
use futures_util::{Stream, StreamExt, stream};

use super::error::ApiError;

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

/// A body, which breaks off where it falls behind the [`Pace`] that the room held for it asks for. One that does not say how
/// long it is has to keep up with the room for the longest.
pub(super) fn paced(
    payload: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    room_bytes: usize,
    deadline: Instant,
) -> impl Stream<Item = Result<Bytes, PayloadError>> + Unpin {
    let began = Instant::now();
    let pace = Pace { began, time: deadline.saturating_duration_since(began), room_bytes };
    let chunks = stream::unfold((payload, 0), move |(mut payload, arrived_bytes)| async move {
        let next = tokio::time::timeout_at(pace.next_by(arrived_bytes).into(), payload.next()).await;
        let chunk = next.unwrap_or_else(|_| Some(Err(PayloadError::Io(ErrorKind::TimedOut.into()))))?;
        let arrived_bytes = arrived_bytes + chunk.as_ref().map_or(0, Bytes::len);
        Some((chunk, (payload, arrived_bytes)))
    });
    // The multipart parser asks again after the end.
    Box::pin(chunks.fuse())
}

/// Whether it is a [`paced`] body that fell behind.
pub(super) fn fell_behind(error: &PayloadError) -> bool {
    matches!(error, PayloadError::Io(error) if error.kind() == ErrorKind::TimedOut)
}

/// How fast a body has to come for which room is held: it may lag a quarter of its time behind the steady pace that would
/// just be in time. So nobody holds room to the end without sending most of what it is for; but a quarter of the time any
/// client may hold it in silence.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// When the room was there.
    began: Instant,
    /// From then to the deadline.
    time: Duration,
    room_bytes: usize,
}

impl Pace {
    /// Until when more has to come of a body of which so much is there: then
    /// `room_bytes * (elapsed - time / 4) / time` bytes would have to be.
    fn next_by(&self, arrived_bytes: usize) -> Instant {
        let room_bytes = self.room_bytes.max(1);
        let share = arrived_bytes.min(room_bytes) as f64 / room_bytes as f64;
        self.began + self.time.mul_f64(0.25 + share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_may_lag_a_quarter_of_its_time() {
        let pace = Pace { began: Instant::now(), time: Duration::from_secs(4), room_bytes: 1000 };
        let next_by = |pace: Pace, arrived_bytes| (pace.next_by(arrived_bytes) - pace.began).as_millis();
        for (arrived_bytes, by_ms) in [(0, 1000), (1, 1004), (250, 2000), (500, 3000), (750, 4000), (1000, 5000)] {
            assert_eq!(next_by(pace, arrived_bytes), by_ms, "{arrived_bytes} bytes");
        }
        // More than there is room for, of the parts beside the picture.
        assert_eq!(next_by(pace, 2000), 5000);
        // Neither room nor time, which is no reason to fail.
        assert_eq!(next_by(Pace { room_bytes: 0, ..pace }, 0), 1000);
        assert_eq!(next_by(Pace { time: Duration::ZERO, ..pace }, 10), 0);
    }
}
