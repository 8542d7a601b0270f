//! Bodies of answers, read only as far as the limits allow.
//!
//! A whole answer is bounded in bytes and by the deadline of its request; a watch is bounded by its silence, by the size
//! of one event (a line) and by bytes a minute. The place of the request in the budget is given back when the body ends.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};
use tower::BoxError;

use super::Limits;
use super::guard::GuardError;

const MINUTE: Duration = Duration::from_secs(60);

/// The body of an answer as the transport gives it.
pub struct Reply(UnsyncBoxBody<Bytes, BoxError>);

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").finish_non_exhaustive()
    }
}

impl Reply {
    /// Forgets the type of a body.
    pub fn new<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self(body.map_err(Into::into).boxed_unsync())
    }
}

/// What bounds a body.
enum Bounds {
    /// The rest of one answer.
    Whole { limit: u64, left: u64 },
    /// A stream of lines.
    Lines { idle: Duration, event: u64, line: u64, minute: u64, window: Instant, seen: u64 },
}

/// A body within its bounds.
pub(super) struct Bounded {
    reply: Option<Reply>,
    bounds: Bounds,
    /// When to give up: the deadline of the request, or the end of the silence allowed.
    until: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Bounded {
    pub(super) fn whole(reply: Reply, limits: &Limits, deadline: Instant, place: OwnedSemaphorePermit) -> Self {
        let until = Box::pin(tokio::time::sleep_until(deadline));
        let bounds = Bounds::Whole { limit: limits.answer_bytes, left: limits.answer_bytes };
        Self { reply: Some(reply), bounds, until, _place: place }
    }

    pub(super) fn lines(reply: Reply, limits: &Limits, place: OwnedSemaphorePermit) -> Self {
        let now = Instant::now();
        let bounds = Bounds::Lines {
            idle: limits.watch_idle,
            event: limits.event_bytes,
            line: 0,
            minute: limits.minute_bytes,
            window: now,
            seen: 0,
        };
        Self {
            reply: Some(reply),
            bounds,
            until: Box::pin(tokio::time::sleep_until(now + limits.watch_idle)),
            _place: place,
        }
    }

    fn count(&mut self, data: &[u8]) -> Result<(), GuardError> {
        let size = data.len() as u64;
        match &mut self.bounds {
            Bounds::Whole { limit, left } => {
                *left = left.checked_sub(size).ok_or(GuardError::TooLarge { limit: *limit })?;
            }
            Bounds::Lines { idle, event, line, minute, window, seen } => {
                let now = Instant::now();
                self.until.as_mut().reset(now + *idle);
                if now.duration_since(*window) >= MINUTE {
                    (*window, *seen) = (now, 0);
                }
                *seen += size;
                // A piece may end one event and begin the next: each is measured by itself.
                for (index, part) in data.split(|byte| *byte == b'\n').enumerate() {
                    *line = if index == 0 { *line } else { 0 } + part.len() as u64;
                    if *line > *event {
                        return Err(GuardError::TooLarge { limit: *event });
                    }
                }
                if *seen > *minute {
                    return Err(GuardError::Flood { limit: *minute });
                }
            }
        }
        Ok(())
    }

    /// Gives up for good: what is polled again after an error has ended.
    fn fail(&mut self, error: GuardError) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.reply = None;
        Poll::Ready(Some(Err(error.into())))
    }
}

impl Body for Bounded {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        let Some(reply) = &mut this.reply else { return Poll::Ready(None) };
        match Pin::new(&mut reply.0).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                // A drip of bytes must not outlive the deadline of a whole answer.
                let late = matches!(this.bounds, Bounds::Whole { .. }) && this.until.is_elapsed();
                match frame.data_ref().map_or(Ok(()), |data| this.count(data)) {
                    Ok(()) if late => this.fail(GuardError::Late),
                    Ok(()) => Poll::Ready(Some(Ok(frame))),
                    Err(error) => this.fail(error),
                }
            }
            Poll::Pending => {
                ready!(this.until.as_mut().poll(context));
                let silent = matches!(this.bounds, Bounds::Lines { .. });
                this.fail(if silent { GuardError::Silent } else { GuardError::Late })
            }
            other @ Poll::Ready(_) => other,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.reply.as_ref().is_none_or(|reply| reply.0.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.reply.as_ref().map(|reply| reply.0.size_hint()).unwrap_or_default()
    }
}
