//! The guard in front of a member: a budget of requests, one deadline for each, few retries, bounded answers.
//!
//! It stands under every client of a connection, so that no caller can forget it. A request is repeated only when the
//! member said it was not carried out, or when doing it twice is the same as once; a POST answered 503 or 504 is not.

use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::header::{CONTENT_LENGTH, RETRY_AFTER, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use kube::client::Body;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tower::{BoxError, Service, ServiceExt};

use super::body::Bounded;
use super::{Limits, Reply, Transport};

/// First wait before a repetition; it doubles.
const BACKOFF: Duration = Duration::from_millis(250);
/// Who we say we are, in the member's audit log.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("jiuzhou/", env!("CARGO_PKG_VERSION")));

/// A request was cut by our own limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// The deadline of a request.
    #[error("failed to get an answer in time")]
    Late,
    /// No place in the budget before the deadline; the request was not sent.
    #[error("failed to send in time: too many requests to this cluster are waiting")]
    Busy,
    /// Silence on a watch.
    #[error("failed to hear anything on a watch for too long")]
    Silent,
    /// An answer or an event that is too large.
    #[error("failed to read an answer of more than {limit} bytes")]
    TooLarge {
        /// Bytes allowed.
        limit: u64,
    },
    /// A watch that sends too much.
    #[error("failed to follow a watch of more than {limit} bytes a minute")]
    Flood {
        /// Bytes allowed a minute.
        limit: u64,
    },
}

/// Told of every request when it has ended: the status of the answer, or that there was none.
pub type Observer = Arc<dyn Fn(Option<StatusCode>) + Send + Sync>;

/// What all clients of one connection share.
pub(super) struct Budget {
    limits: Limits,
    observer: OnceLock<Observer>,
    requests: Arc<Semaphore>,
    watches: Arc<Semaphore>,
}

impl Budget {
    pub(super) fn new(limits: Limits) -> Self {
        let requests = Arc::new(Semaphore::new(limits.requests));
        let watches = Arc::new(Semaphore::new(limits.watches));
        Self { limits, observer: OnceLock::new(), requests, watches }
    }

    /// From now on the observer is told; the first one stays.
    pub(super) fn observe(&self, observer: Observer) {
        let _ = self.observer.set(observer);
    }
}

/// A transport within its budget.
#[derive(Clone)]
pub(super) struct Guard {
    transport: Transport,
    budget: Arc<Budget>,
    headers: Arc<[(HeaderName, HeaderValue)]>,
}

impl Guard {
    pub(super) fn new(transport: Transport, budget: Arc<Budget>, headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        Self { transport, budget, headers: headers.into() }
    }
}

impl Service<Request<Body>> for Guard {
    type Response = Response<Bounded>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let Self { transport, budget, headers } = self.clone();
        request.headers_mut().insert(USER_AGENT, AGENT);
        for (name, value) in headers.iter() {
            request.headers_mut().insert(name.clone(), value.clone());
        }
        Box::pin(async move {
            let answer = send(transport, Arc::clone(&budget), request).await;
            if let Some(observer) = budget.observer.get() {
                observer(answer.as_ref().ok().map(Response::status));
            }
            answer
        })
    }
}

async fn send(
    transport: Transport,
    budget: Arc<Budget>,
    request: Request<Body>,
) -> Result<Response<Bounded>, BoxError> {
    let limits = budget.limits;
    let deadline = Instant::now() + limits.request;
    let stream = is_stream(&request);
    let places = Arc::clone(if stream { &budget.watches } else { &budget.requests });
    let place = timeout_at(deadline, places.acquire_owned()).await.map_err(|_| GuardError::Busy)??;
    // A place that came free at the last moment is no place: what is sent now would be late.
    if Instant::now() >= deadline {
        return Err(GuardError::Busy.into());
    }
    let method = request.method().clone();
    let mut next = Some(request);
    let mut attempt = 0;
    while let Some(request) = next.take() {
        let again = copy(&request).filter(|_| attempt < limits.retries);
        let sent = timeout_at(deadline, transport.clone().oneshot(request)).await;
        let response = sent.map_err(|_| GuardError::Late)??;
        if let Some(again) = again.filter(|_| may_repeat(&method, response.status())) {
            let wait = wait(&response, attempt, limits.retry_after);
            if Instant::now() + wait < deadline {
                drop(response);
                tokio::time::sleep(wait).await;
                attempt += 1;
                next = Some(again);
                continue;
            }
        }
        let announced = response.headers().get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
        if !stream && announced.is_some_and(|bytes| bytes > limits.answer_bytes) {
            return Err(GuardError::TooLarge { limit: limits.answer_bytes }.into());
        }
        // The answer that refuses a watch is an ordinary one.
        let lines = stream && response.status().is_success();
        return Ok(response.map(|reply| match lines {
            true => Bounded::lines(reply, &limits, place),
            false => Bounded::whole(reply, &limits, deadline, place),
        }));
    }
    Err(GuardError::Late.into())
}

/// Watches, and logs that are followed.
fn is_stream(request: &Request<Body>) -> bool {
    let query = request.uri().query().unwrap_or_default();
    query.split('&').any(|pair| matches!(pair, "watch=true" | "watch=1" | "follow=true" | "follow=1"))
}

fn copy(request: &Request<Body>) -> Option<Request<Body>> {
    let body = request.body().try_clone()?;
    let mut copy = Request::new(body);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    Some(copy)
}

/// 429 says that nothing was done. 503 and 504 do not.
fn may_repeat(method: &Method, status: StatusCode) -> bool {
    match status {
        StatusCode::TOO_MANY_REQUESTS => true,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => *method != Method::POST,
        _ => false,
    }
}

fn wait(response: &Response<Reply>, attempt: u32, longest: Duration) -> Duration {
    let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let wait = asked.map_or(BACKOFF * 2_u32.saturating_pow(attempt), Duration::from_secs);
    wait.min(longest)
}

#[cfg(test)]
mod tests;
