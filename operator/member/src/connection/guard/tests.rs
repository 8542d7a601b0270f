//! Members that hang, flood, lie about waiting or refuse: what each may cost. Time is tokio's paused clock.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures::{StreamExt, stream};
use http_body::Frame;
use http_body_util::{Full, StreamBody};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{DeleteParams, PostParams, WatchParams};

use super::super::{Connection, Trouble};
use super::*;

/// Answers in order, then the last for ever; counts what was sent.
#[derive(Clone)]
struct Scripted {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    sent: Arc<AtomicUsize>,
}

#[derive(Clone)]
enum Answer {
    /// Status, `Retry-After`, body.
    Says(u16, Option<&'static str>, String),
    /// Never.
    Hangs,
    /// A body that goes on for ever in pieces of this size, one each so often.
    Drips(Vec<u8>, Duration),
}

impl Service<Request<Body>> for Scripted {
    type Response = Response<Reply>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        self.sent.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Box::pin(async move {
            match answer.expect("a test gives at least one answer") {
                Answer::Says(status, after, body) => {
                    let mut response = Response::builder().status(status);
                    if let Some(after) = after {
                        response = response.header(RETRY_AFTER, after);
                    }
                    Ok(response.body(Reply::new(Full::new(Bytes::from(body))))?)
                }
                Answer::Hangs => std::future::pending().await,
                Answer::Drips(piece, every) => {
                    let pieces = stream::repeat(piece).then(move |piece| async move {
                        tokio::time::sleep(every).await;
                        Ok::<_, BoxError>(Frame::data(Bytes::from(piece)))
                    });
                    Ok(Response::new(Reply::new(StreamBody::new(pieces.boxed()))))
                }
            }
        })
    }
}

fn member(answers: Vec<Answer>, limits: Limits) -> (Connection, Arc<AtomicUsize>) {
    let sent = Arc::new(AtomicUsize::new(0));
    let service = Scripted { answers: Arc::new(Mutex::new(answers.into())), sent: Arc::clone(&sent) };
    (Connection::over(Transport::new(service), limits, None, None), sent)
}

fn maps(connection: &Connection) -> Api<ConfigMap> {
    Api::namespaced(connection.client(), "default")
}

fn refused(code: u16) -> String {
    format!(r#"{{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no","reason":"x","code":{code}}}"#)
}

fn map() -> String {
    r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"}}"#.to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_member_that_hangs_costs_one_deadline() {
    let (connection, sent) = member(vec![Answer::Hangs], Limits::default());
    let start = Instant::now();
    let trouble = Trouble::of(&maps(&connection).get("a").await.unwrap_err());
    assert_eq!(trouble, Trouble::Cut(GuardError::Late));
    assert!(trouble.is_silence());
    assert_eq!((start.elapsed().as_secs(), sent.load(Ordering::SeqCst)), (30, 1));
}

#[tokio::test(start_paused = true)]
async fn an_absurd_retry_after_is_obeyed_for_seconds_only_and_two_times() {
    let answer = Answer::Says(429, Some("99999"), refused(429));
    let (connection, sent) = member(vec![answer], Limits::default());
    let start = Instant::now();
    let trouble = Trouble::of(&maps(&connection).get("a").await.unwrap_err());
    assert!(matches!(trouble, Trouble::Answered { code: 429, .. }), "{trouble:?}");
    assert_eq!((start.elapsed().as_secs(), sent.load(Ordering::SeqCst)), (10, 3));
}

#[tokio::test(start_paused = true)]
async fn a_create_is_repeated_only_when_nothing_was_done() {
    for (status, want) in [(429, 3), (503, 1), (504, 1), (500, 1)] {
        let (connection, sent) = member(vec![Answer::Says(status, None, refused(status))], Limits::default());
        let _ = maps(&connection).create(&PostParams::default(), &ConfigMap::default()).await.unwrap_err();
        assert_eq!(sent.load(Ordering::SeqCst), want, "{status}");
    }
    let answers = vec![Answer::Says(503, None, refused(503)), Answer::Says(200, None, map())];
    let (connection, sent) = member(answers, Limits::default());
    assert!(maps(&connection).delete("a", &DeleteParams::default()).await.is_ok());
    assert_eq!(sent.load(Ordering::SeqCst), 2, "a delete with preconditions is the same twice");
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_cut() {
    let limits = Limits { answer_bytes: 1000, ..Limits::default() };
    let (connection, _) = member(vec![Answer::Drips(vec![b' '; 300], Duration::from_millis(1))], limits);
    let trouble = Trouble::of(&maps(&connection).get("a").await.unwrap_err());
    assert_eq!(trouble, Trouble::Cut(GuardError::TooLarge { limit: 1000 }));
}

#[tokio::test(start_paused = true)]
async fn a_drip_does_not_outlive_the_deadline() {
    let (connection, _) = member(vec![Answer::Drips(b" ".to_vec(), Duration::from_secs(1))], Limits::default());
    let start = Instant::now();
    let trouble = Trouble::of(&maps(&connection).get("a").await.unwrap_err());
    assert_eq!(trouble, Trouble::Cut(GuardError::Late));
    assert!(start.elapsed() <= Duration::from_secs(31));
}

async fn watch_until_it_ends(connection: &Connection) -> Trouble {
    let api = maps(connection);
    let mut events = api.watch(&WatchParams::default(), "0").await.unwrap().boxed();
    while let Some(event) = events.next().await {
        if let Err(error) = event {
            return Trouble::of(&error);
        }
    }
    panic!("the watch ended without an error");
}

#[tokio::test(start_paused = true)]
async fn a_watch_is_cut_for_silence_for_one_huge_event_and_for_a_flood() {
    let limits = Limits { event_bytes: 1000, minute_bytes: 3000, ..Limits::default() };
    let mut event = format!(r#"{{"type":"ADDED","object":{}}}"#, map()).into_bytes();
    event.push(b'\n');
    let table = [
        (vec![b'a'; 300], Duration::from_secs(1), GuardError::TooLarge { limit: 1000 }),
        (event.clone(), Duration::from_millis(1), GuardError::Flood { limit: 3000 }),
        (event, Duration::from_secs(1000), GuardError::Silent),
    ];
    for (piece, every, want) in table {
        let (connection, _) = member(vec![Answer::Drips(piece, every)], limits);
        assert_eq!(watch_until_it_ends(&connection).await, Trouble::Cut(want));
    }
}

#[tokio::test(start_paused = true)]
async fn requests_beyond_the_budget_wait_and_are_not_sent_late() {
    let limits = Limits { requests: 2, ..Limits::default() };
    let (connection, sent) = member(vec![Answer::Hangs], limits);
    let api = maps(&connection);
    let asked = futures::future::join_all((0..5).map(|_| api.get("a"))).await;
    let troubles: Vec<Trouble> = asked.into_iter().map(|answer| Trouble::of(&answer.unwrap_err())).collect();
    let busy = troubles.iter().filter(|trouble| **trouble == Trouble::Cut(GuardError::Busy)).count();
    // Both places came free at the deadline of all five: a request that is 30 s old is not sent.
    assert_eq!((busy, sent.load(Ordering::SeqCst)), (3, 2), "{troubles:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_another_kind_is_nonsense_and_no_silence() {
    let (connection, _) = member(vec![Answer::Says(200, None, "<html>".to_owned())], Limits::default());
    let trouble = Trouble::of(&maps(&connection).get("a").await.unwrap_err());
    assert!(matches!(trouble, Trouble::Nonsense(_)), "{trouble:?}");
    assert!(!trouble.is_silence());
}
