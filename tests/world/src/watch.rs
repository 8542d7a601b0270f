//! Watches: a stream of changes from a revision on, with initial events, bookmarks, time limits and 410.
//!
//! The stream is the body of a response. It reads the store when it is polled and sleeps until the next commit, the next
//! bookmark round or the next move of the clock.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::answer::{Answer, Content, Result, expired, internal_plain};
use crate::faults::WatchFault;
use crate::kinds::Kind;
use crate::list::{Form, check_rule, invalid_version};
use crate::request::Request;
use crate::selector::Selector;
use crate::store::Change;
use crate::world::Inner;

/// A watch under way.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) id: u64,
    kind: Arc<Kind>,
    namespace: Option<String>,
    selector: Selector,
    form: Form,
    cursor: u64,
    round: u64,
    bookmarks: bool,
    last_bookmark: bool,
    /// What a server that fell behind has seen; nothing later comes.
    frozen: Option<u64>,
    deadline: Timestamp,
    ready: VecDeque<Bytes>,
    over: bool,
}

/// How long a watch lasts that names no limit.
const DEFAULT_LIMIT: SignedDuration = SignedDuration::from_secs(3600);

impl Inner {
    /// Opens a watch; of a server that fell behind when `frozen` is a revision.
    pub(crate) fn watch(&mut self, request: &Request, kind: &Arc<Kind>, frozen: Option<u64>) -> Result<Answer> {
        check_rule(request)?;
        let selector = Selector::read(request)?;
        let form = Form::of(request);
        let limit = request.option("timeoutSeconds").and_then(|text| text.parse::<i64>().ok()).filter(|s| *s > 0);
        let limit = limit.map_or(DEFAULT_LIMIT, SignedDuration::from_secs);
        let now = self.clock.now();
        let namespace = Some(request.target.namespace.clone()).filter(|namespace| !namespace.is_empty());
        let text = request.option("resourceVersion").unwrap_or_default();
        let version = match text {
            "" | "0" => None,
            text => Some(text.parse::<u64>().map_err(|_| internal_plain(&invalid_version(text)))?),
        };
        let initial = request.flag("sendInitialEvents") && request.option("sendInitialEvents").is_some();
        let revision = frozen.unwrap_or(u64::MAX).min(self.store.revision());
        let mut watch = Watch {
            frozen,
            id: self.next_watch(request),
            kind: kind.clone(),
            namespace,
            selector,
            form,
            cursor: version.unwrap_or(revision),
            round: self.bookmark_round,
            bookmarks: request.flag("allowWatchBookmarks") && request.option("allowWatchBookmarks").is_some(),
            // A server says where it stands two seconds before the end.
            last_bookmark: limit > SignedDuration::from_secs(2),
            deadline: now.checked_add(limit).unwrap_or(now),
            ready: VecDeque::new(),
            over: false,
        };
        if version.is_some_and(|version| version < self.store.compacted()) && !initial {
            let message = format!("too old resource version: {} ({})", watch.cursor, self.store.compacted());
            watch.fail(&expired(&message).status);
        } else if version.is_none() || initial {
            for (_, object) in self.store.snapshot(&kind.resource(), watch.namespace.as_deref(), revision) {
                if watch.selector.matches(&object) {
                    watch.send("ADDED", &object);
                }
            }
            watch.cursor = revision;
            if initial {
                watch.bookmark(revision, true);
            }
        }
        Ok(Answer { code: 200, body: Content::Watch(Box::new(watch)), warnings: Vec::new() })
    }
}

impl Watch {
    fn send(&mut self, event: &str, object: &Value) {
        let object = self.form.print(&self.kind, object);
        self.line(&json!({"type": event, "object": object}));
    }

    fn fail(&mut self, status: &Value) {
        self.line(&json!({"type": "ERROR", "object": status}));
        self.over = true;
    }

    fn bookmark(&mut self, revision: u64, initial: bool) {
        let mut metadata = json!({"resourceVersion": revision.to_string()});
        if initial {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let bare = json!({"metadata": metadata});
        let mut object = self.form.print(&self.kind, &bare);
        if self.kind.native && self.form == Form::Whole {
            // Go prints the empty object of the kind.
            let _ = crate::schema::decode::go_form(&mut object, &self.kind.schema);
        }
        self.line(&json!({"type": "BOOKMARK", "object": object}));
    }

    fn line(&mut self, event: &Value) {
        self.ready.push_back(Bytes::from(format!("{event}\n")));
    }

    fn concerns(&self, change: &Change) -> bool {
        change.key.resource == self.kind.resource()
            && self.namespace.as_deref().is_none_or(|namespace| change.key.namespace() == namespace)
    }

    /// One change as this watch sees it: an object that leaves the selection is deleted for it.
    fn see(&mut self, change: &Change) {
        let before = change.before.as_ref().filter(|object| self.selector.matches(object)).cloned();
        let after = change.after.as_ref().filter(|object| self.selector.matches(object)).cloned();
        match (before, after) {
            (None, Some(after)) => self.send("ADDED", &after),
            (Some(_), Some(after)) => self.send("MODIFIED", &after),
            (Some(before), None) => {
                let mut last = (*before).clone();
                last["metadata"]["resourceVersion"] = json!(change.revision.to_string());
                self.send("DELETED", &last);
            }
            (None, None) => {}
        }
    }

    /// Takes in what happened since the last poll.
    fn advance(&mut self, inner: &mut Inner) {
        let fault = inner.watch_fault(self.id);
        match fault {
            Some(WatchFault::Cut) => self.over = true,
            Some(WatchFault::Expire) => {
                let message = format!("too old resource version: {} ({})", self.cursor, inner.store.revision());
                self.fail(&expired(&message).status);
            }
            Some(WatchFault::Stall) => {}
            Some(WatchFault::BookmarksOnly) => self.cursor = inner.store.revision(),
            Some(WatchFault::Twice) | None => {
                let end = self.frozen.unwrap_or(u64::MAX).min(inner.store.revision());
                let seen = inner.store.changes_after(self.cursor).iter().filter(|change| change.revision <= end);
                let changes: Vec<Change> = seen.filter(|change| self.concerns(change)).cloned().collect();
                for change in changes {
                    self.see(&change);
                    if fault == Some(WatchFault::Twice) {
                        self.see(&change);
                    }
                }
                self.cursor = self.cursor.max(end);
            }
        }
        if fault == Some(WatchFault::Stall) || self.over {
            return;
        }
        let due = inner.clock.now() >= self.deadline;
        if self.bookmarks && (self.round < inner.bookmark_round || due && self.last_bookmark) {
            self.round = inner.bookmark_round;
            self.bookmark(self.cursor, false);
        }
        self.over |= due;
    }
}

/// The body of a response that is a watch.
#[derive(Debug)]
pub(crate) struct WatchBody {
    pub(crate) watch: Box<Watch>,
    pub(crate) inner: Arc<Mutex<Inner>>,
}

impl WatchBody {
    pub(crate) fn poll(
        &mut self,
        context: &Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, tower::BoxError>>> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if self.watch.ready.is_empty() && !self.watch.over {
            self.watch.advance(&mut inner);
        }
        if let Some(line) = self.watch.ready.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(line))));
        }
        if self.watch.over {
            return Poll::Ready(None);
        }
        inner.wait(context.waker());
        inner.clock.wait(context.waker());
        Poll::Pending
    }
}

impl Drop for WatchBody {
    fn drop(&mut self) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).close_watch(self.watch.id);
    }
}

/// The body of any response of the world.
#[derive(Debug)]
pub enum WorldBody {
    /// All at once.
    Whole(Option<Bytes>),
    /// A watch.
    #[doc(hidden)]
    Stream(WatchStream),
}

/// A watch as a body; only the world makes one.
#[derive(Debug)]
pub struct WatchStream(pub(crate) WatchBody);

impl http_body::Body for WorldBody {
    type Data = Bytes;
    type Error = tower::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, Self::Error>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Stream(stream) => stream.0.poll(context),
        }
    }
}
