//! Faults a test puts into the world: before a request is handled, between its commit and its answer, and on watches.
//!
//! An interceptor sees every request in order and says what happens to it. Everything it does is written into the log.
//! The world never makes a fault by itself.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

use serde_json::Value;

use crate::request::Request;

/// What happens to one request.
#[derive(Clone)]
pub enum Fault {
    /// It is refused with a Status before anything is done.
    Refuse {
        /// HTTP status.
        code: u16,
        /// Reason of the Status, such as `TooManyRequests`.
        reason: &'static str,
        /// Message.
        message: String,
        /// Seconds of `Retry-After`.
        retry_after: Option<u64>,
    },
    /// It is answered with this body and nothing is done.
    Answer {
        /// HTTP status.
        code: u16,
        /// Body.
        body: Value,
    },
    /// The connection breaks before the request arrives.
    Break,
    /// The request is handled, the connection breaks before the answer.
    LoseAnswer,
    /// It waits before it is handled until the gate opens.
    Hold(Gate),
    /// It is handled, and its answer waits until the gate opens.
    HoldAnswer(Gate),
    /// Reads see the store as it was at a revision; writes are handled as ever.
    Stale(u64),
    /// It is handled and the body of the answer is changed: a list cut short, emptied, or of another cluster.
    Rewrite(Arc<dyn Fn(Value) -> Value + Send + Sync>),
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Fault {
    /// 429 with `Retry-After`.
    #[must_use]
    pub fn too_many_requests(seconds: u64) -> Self {
        let message = "Too many requests, please try again later.".to_owned();
        Self::Refuse { code: 429, reason: "TooManyRequests", message, retry_after: Some(seconds) }
    }

    /// A Status of a code that needs no more words.
    #[must_use]
    pub fn code(code: u16) -> Self {
        let (reason, message) = match code {
            401 => ("Unauthorized", "Unauthorized"),
            403 => ("Forbidden", "forbidden by the test"),
            404 => ("NotFound", "the server could not find the requested resource"),
            409 => ("Conflict", crate::answer::MODIFIED),
            410 => ("Expired", "too old resource version"),
            422 => ("Invalid", "invalid by the test"),
            503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
            504 => ("Timeout", "request did not complete within the allotted timeout"),
            _ => ("InternalError", "Internal error occurred: a fault of the test"),
        };
        Self::Refuse { code, reason, message: message.to_owned(), retry_after: None }
    }

    /// A list without its elements, as a broken proxy or another cluster would give.
    #[must_use]
    pub fn empty_list() -> Self {
        Self::filtered_list(|_| false)
    }

    /// A list with only some of its elements.
    #[must_use]
    pub fn filtered_list(keep: impl Fn(&Value) -> bool + Send + Sync + 'static) -> Self {
        Self::Rewrite(Arc::new(move |mut body| {
            if let Some(items) = body.get_mut("items").and_then(Value::as_array_mut) {
                items.retain(|item| keep(item));
            }
            if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.remove("continue");
                metadata.remove("remainingItemCount");
            }
            body
        }))
    }

    /// Its word in the log.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Refuse { .. } => "refused",
            Self::Answer { .. } => "answered by the test",
            Self::Break => "broken before",
            Self::LoseAnswer => "answer lost",
            Self::Hold(_) => "held",
            Self::HoldAnswer(_) => "answer held",
            Self::Stale(_) => "stale",
            Self::Rewrite(_) => "rewritten",
        }
    }
}

/// What happens to a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchFault {
    /// The stream ends.
    Cut,
    /// The stream says 410 and ends.
    Expire,
    /// The stream stays open and says nothing any more.
    Stall,
    /// The stream says only bookmarks; changes are lost for it.
    BookmarksOnly,
    /// Every change comes twice.
    Twice,
}

/// A gate that a test opens.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<Mutex<GateState>>);

#[derive(Debug, Default)]
struct GateState {
    open: bool,
    waiting: Vec<Waker>,
}

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens it for everyone, for ever.
    pub fn open(&self) {
        let waiting = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.open = true;
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Waits until it is open.
    pub(crate) async fn passed(&self) {
        std::future::poll_fn(|context| {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if state.open {
                return Poll::Ready(());
            }
            state.waiting.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Says what happens to a request; the first that says something decides.
pub(crate) type Interceptor = Box<dyn FnMut(&Request) -> Option<Fault> + Send>;

/// The interceptors in force, by the number a test removes them with.
#[derive(Default)]
pub(crate) struct Faults {
    next: u64,
    interceptors: Vec<(u64, Interceptor)>,
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} interceptors", self.interceptors.len())
    }
}

impl Faults {
    pub(crate) fn add(&mut self, interceptor: Interceptor) -> u64 {
        self.next += 1;
        self.interceptors.push((self.next, interceptor));
        self.next
    }

    pub(crate) fn remove(&mut self, number: u64) {
        self.interceptors.retain(|(n, _)| *n != number);
    }

    pub(crate) fn clear(&mut self) {
        self.interceptors.clear();
    }

    /// Every interceptor sees every request, so that counters in them count all.
    pub(crate) fn ask(&mut self, request: &Request) -> Option<Fault> {
        let mut decided = None;
        for (_, interceptor) in &mut self.interceptors {
            let fault = interceptor(request);
            if decided.is_none() {
                decided = fault;
            }
        }
        decided
    }
}
