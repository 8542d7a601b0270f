//! Traces of decisions, sent to a collector by OTLP over HTTP in its JSON encoding. Off unless an address is given.
//!
//! A decision's way through the operator crosses tasks and minutes, so its trace is not carried along: trace id and the
//! id of its first span are parts of the decision's own digest, and whoever does a step of it tells that step. The id in
//! the trace is the one in logs, placements, deliveries and the audit log. Telling never waits: what a collector does not
//! take in time is dropped and counted. A span holds names and codes, never a manifest.

use std::time::Duration;

use axum::body::Body;
use http::Uri;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use jiuzhou_engine::terms::Digest;
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// Spans that may wait for the exporter.
const WAITING: usize = 8192;
/// Spans of one request.
const BATCH: usize = 512;
/// How long spans are gathered.
const TOGETHER: Duration = Duration::from_secs(2);
/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two complaints about a collector.
const COMPLAIN: Duration = Duration::from_secs(300);
/// Path of traces at every OTLP collector.
const PATH: &str = "/v1/traces";

/// The address of a collector cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("failed to use {0:?} as the address of a collector: want http://HOST:PORT")]
pub struct AddressError(String);

/// A step of a decision's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// From the first event that led to it to its commit: the parent of all others.
    Decision,
    /// Events were gathered.
    Watch,
    /// It was worked out.
    Decide,
    /// It was written down and committed.
    Commit,
    /// It was recorded in the audit log.
    Record,
    /// From the order to a member to the first report that all is as wanted there.
    Deliver,
    /// The status was written.
    Status,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Watch => "watch",
            Self::Decide => "decide",
            Self::Commit => "commit",
            Self::Record => "record",
            Self::Deliver => "deliver",
            Self::Status => "status",
        }
    }
}

/// One step of one decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The decision, as `sha256:HEX`.
    pub decision: String,
    /// The step.
    pub step: Step,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// `NAMESPACE/NAME` of the workload.
    pub workload: String,
    /// The member, for what is done there.
    pub cluster: Option<String>,
}

/// Where steps are told. A copy tells the same collector.
#[derive(Clone, Debug, Default)]
pub struct Traces(Option<mpsc::Sender<Span>>);

impl Traces {
    /// Nobody listens.
    #[must_use]
    pub fn off() -> Self {
        Self(None)
    }

    /// Sends to a collector, `http://HOST:PORT`, from a task of its own. Needs a runtime around it.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn to(address: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError(address.to_owned());
        let uri: Uri = format!("{}{PATH}", address.trim_end_matches('/')).parse().map_err(|_| wrong())?;
        if uri.scheme_str() != Some("http") || uri.host().is_none_or(str::is_empty) {
            return Err(wrong());
        }
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::spawn(export(uri, receiver));
        Ok(Self(Some(sender)))
    }

    /// Whether anybody listens.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Tells a step. Never waits.
    pub fn tell(&self, span: Span) {
        if let Some(sender) = &self.0 {
            // Full or gone: a trace is no record, that is the audit log.
            let _ = sender.try_send(span);
        }
    }
}

async fn export(uri: Uri, mut spans: mpsc::Receiver<Span>) {
    let client = Client::builder(TokioExecutor::new()).build::<_, Body>(HttpConnector::new());
    let mut complained: Option<tokio::time::Instant> = None;
    let mut batch = Vec::with_capacity(BATCH);
    while let Some(first) = spans.recv().await {
        batch.push(first);
        let until = tokio::time::Instant::now() + TOGETHER;
        while batch.len() < BATCH {
            match tokio::time::timeout_at(until, spans.recv()).await {
                Ok(Some(span)) => batch.push(span),
                Ok(None) | Err(_) => break,
            }
        }
        let count = batch.len();
        let sent = tokio::time::timeout(PATIENCE, send(&client, &uri, &std::mem::take(&mut batch))).await;
        let why = match sent {
            Ok(Ok(())) => continue,
            Ok(Err(why)) => why,
            Err(_) => "no answer in time".to_owned(),
        };
        if complained.is_none_or(|at| at.elapsed() > COMPLAIN) {
            complained = Some(tokio::time::Instant::now());
            tracing::warn!(collector = %uri, why, spans = count, "failed to send traces; they are dropped");
        }
    }
}

async fn send(client: &Client<HttpConnector, Body>, uri: &Uri, spans: &[Span]) -> Result<(), String> {
    let request = http::Request::post(uri).header("content-type", "application/json");
    let request = request.body(Body::from(request_body(spans).to_string())).map_err(|error| error.to_string())?;
    let answer = client.request(request).await.map_err(|error| error.to_string())?;
    if answer.status().is_success() { Ok(()) } else { Err(format!("answered {}", answer.status())) }
}

/// An `ExportTraceServiceRequest`: ids in hex, 64-bit numbers as text, as the JSON encoding of OTLP wants them.
fn request_body(spans: &[Span]) -> Value {
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let spans: Vec<Value> = spans.iter().filter_map(span).collect();
    json!({ "resourceSpans": [{
        "resource": { "attributes": [
            text("service.name", "jiuzhou-operator"),
            text("service.version", env!("CARGO_PKG_VERSION")),
        ] },
        "scopeSpans": [{ "scope": { "name": "jiuzhou", "version": env!("CARGO_PKG_VERSION") }, "spans": spans }],
    }] })
}

fn span(span: &Span) -> Option<Value> {
    let digest = Digest::parse(&span.decision)?;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (trace, rest) = digest.bytes().split_at(16);
    let root = hex(rest.get(..8)?);
    let own = format!("{}\n{}\n{:?}\n{}", span.decision, span.step.name(), span.cluster, span.began);
    let own = hex(Digest::sha256(own.as_bytes()).bytes().get(..8)?);
    let mut attributes = vec![("jiuzhou.decision", &span.decision), ("jiuzhou.workload", &span.workload)];
    attributes.extend(span.cluster.as_ref().map(|cluster| ("jiuzhou.cluster", cluster)));
    let attributes: Vec<Value> =
        attributes.iter().map(|(key, value)| json!({ "key": key, "value": { "stringValue": value } })).collect();
    let is_root = span.step == Step::Decision;
    let mut value = json!({
        "traceId": hex(trace),
        "spanId": if is_root { root.clone() } else { own },
        "name": span.step.name(),
        // Internal.
        "kind": 1,
        "startTimeUnixNano": span.began.as_nanosecond().to_string(),
        "endTimeUnixNano": span.ended.as_nanosecond().to_string(),
        "attributes": attributes,
    });
    if !is_root {
        value["parentSpanId"] = json!(root);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::Router;
    use axum::extract::State;
    use axum::routing::post;

    use super::*;

    fn step(step: Step, cluster: Option<&str>) -> Span {
        Span {
            decision: Digest::sha256(b"a decision").to_string(),
            step,
            began: "2026-11-23T04:00:00.5Z".parse().unwrap(),
            ended: "2026-11-23T04:00:01Z".parse().unwrap(),
            workload: "portal/web".to_owned(),
            cluster: cluster.map(str::to_owned),
        }
    }

    #[tokio::test]
    async fn a_collector_gets_one_trace_a_decision_with_the_digest_as_its_id() {
        type Kept = Arc<Mutex<Vec<Value>>>;
        let kept = Kept::default();
        let take = |State(kept): State<Kept>, body: axum::Json<Value>| async move { kept.lock().unwrap().push(body.0) };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&kept));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let traces = Traces::to(&address).unwrap();
        for (one, cluster) in [(Step::Decision, None), (Step::Decide, None), (Step::Deliver, Some("a"))] {
            traces.tell(step(one, cluster));
        }
        drop(traces);
        for _ in 0..100 {
            if !kept.lock().unwrap().is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let body = kept.lock().unwrap().first().cloned().expect("a request");
        let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone();
        assert_eq!(
            spans.iter().map(|span| span["name"].as_str().unwrap()).collect::<Vec<_>>(),
            ["decision", "decide", "deliver"]
        );
        let hex = Digest::sha256(b"a decision").to_string();
        let hex = hex.trim_start_matches("sha256:");
        for span in &spans {
            assert_eq!(span["traceId"], hex[..32]);
            assert_eq!(span["startTimeUnixNano"], "1795406400500000000");
        }
        assert_eq!(spans[0]["spanId"], hex[32..48]);
        assert_eq!(spans[0].get("parentSpanId"), None);
        assert_eq!(spans[1]["parentSpanId"], hex[32..48]);
        assert_ne!(spans[1]["spanId"], spans[2]["spanId"]);
        assert_eq!(spans[2]["attributes"][2]["value"]["stringValue"], "a");
    }

    #[tokio::test]
    async fn an_address_that_is_none_is_refused_and_nobody_listening_costs_nothing() {
        for wrong in ["", "collector", "https://collector:4318", "http://", "ftp://collector"] {
            assert!(Traces::to(wrong).is_err(), "{wrong}");
        }
        let traces = Traces::off();
        traces.tell(step(Step::Decide, None));
        assert!(!traces.is_on());
        // A collector that is not there: telling never waits, however much is told.
        let traces = Traces::to("http://127.0.0.1:9").unwrap();
        for _ in 0..3 * WAITING {
            traces.tell(step(Step::Decide, None));
        }
    }
}
