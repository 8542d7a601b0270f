//! Conformance: requests with the answers a real API server gave, and how a server is asked them again.
//!
//! A transcript file holds cases, a case holds steps, a step is a request and its recorded answer in a normal form
//! (`normalise`). The same runner asks the world and a real server; recording is running against a real one and keeping
//! what it said. Answers are never written by hand.

mod normalise;
mod transcript;

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use http::header;
use serde_json::Value;

pub use normalise::Normal;
pub use transcript::{Answer, Case, Filter, Step, Transcript, TranscriptError};

/// A server that can be asked the cases.
pub trait Server {
    /// A client of it.
    fn client(&self) -> kube::Client;
    /// Waits until its background work is done, as far as it can know.
    fn settle(&self) -> BoxFuture<'_, ()>;
    /// Seconds pass for the server.
    fn elapse(&self, seconds: i64);
    /// Whether another try may give another answer.
    fn may_change(&self) -> bool;
}

/// Why a case could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The step is no request.
    #[error("failed to read the request of step {step}: {why}")]
    Request {
        /// Position of the step.
        step: usize,
        /// What is wrong.
        why: String,
    },
    /// The server gave no answer.
    #[error("failed to get an answer to step {step}")]
    Answer {
        /// Position of the step.
        step: usize,
        /// What kube says.
        source: Box<kube::Error>,
    },
    /// A value the next steps need is not in the answer.
    #[error("failed to find {pointer} in the answer to step {step}")]
    Missing {
        /// Position of the step.
        step: usize,
        /// JSON pointer.
        pointer: String,
    },
}

/// Tries of a step that waits for something.
const TRIES: usize = 240;

/// Asks a server the steps of one case, in a namespace of its own; the answers in normal form.
///
/// # Errors
/// When a step is no request, the server gives no answer, or a later step needs what an answer does not have.
pub async fn ask(case: &Case, namespace: &str, server: &dyn Server) -> Result<Vec<Answer>, AskError> {
    let client = server.client();
    let mut words = BTreeMap::from([("ns".to_owned(), namespace.to_owned())]);
    let mut normal = Normal::new(namespace);
    if case.namespace {
        let body = serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        let step = Step { send: "POST /api/v1/namespaces".to_owned(), body: Some(body), ..Step::default() };
        once(&client, server, &step, 0, &words).await?;
    }
    let mut answers = Vec::new();
    for (number, step) in case.steps.iter().enumerate() {
        let mut tries = 0;
        let raw = loop {
            if step.until.is_some() {
                server.settle().await;
            }
            let raw = once(&client, server, step, number, &words).await?;
            tries += 1;
            let reached = step.until.is_none_or(|code| raw.code == code);
            if reached || tries == TRIES || !server.may_change() {
                break raw;
            }
        };
        for (word, pointer) in &step.keep {
            let found =
                raw.body.pointer(pointer).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            let missing = || AskError::Missing { step: number, pointer: pointer.clone() };
            words.insert(word.clone(), found.ok_or_else(missing)?);
        }
        answers.push(normal.answer(step, raw));
    }
    Ok(answers)
}

/// Sends one step.
async fn once(
    client: &kube::Client,
    server: &dyn Server,
    step: &Step,
    number: usize,
    words: &BTreeMap<String, String>,
) -> Result<Answer, AskError> {
    let request = request(step, words).map_err(|why| AskError::Request { step: number, why })?;
    let unanswered = |source: kube::Error| AskError::Answer { step: number, source: Box::new(source) };
    let response = client.send(request).await.map_err(unanswered)?;
    let (parts, body) = response.into_parts();
    server.elapse(step.seconds);
    let bytes = body.collect_bytes().await.map_err(unanswered)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let warnings = parts.headers.get_all("warning").iter().filter_map(|value| value.to_str().ok());
    let mut answer =
        Answer { code: parts.status.as_u16(), warnings: warnings.map(str::to_owned).collect(), ..Answer::default() };
    if step.is_watch() && answer.code == 200 {
        answer.events = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    } else {
        answer.body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    }
    Ok(answer)
}

fn request(step: &Step, words: &BTreeMap<String, String>) -> Result<http::Request<kube::client::Body>, String> {
    let (method, path) = step.send.split_once(' ').ok_or("no method and path")?;
    let filled = |text: &str| {
        words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(&format!("{{{word}}}"), value))
    };
    let content_type = match (&step.content_type, method) {
        (Some(given), _) => given.as_str(),
        (None, "PATCH") => "application/merge-patch+json",
        _ => "application/json",
    };
    let request = http::Request::builder()
        .method(method)
        .uri(filled(path))
        .header(header::CONTENT_TYPE, content_type)
        .header(header::USER_AGENT, "transcript/1.0")
        .header(header::ACCEPT, step.accept.as_deref().unwrap_or("application/json"));
    let body = step.body.as_ref().map(|body| filled(&body.to_string())).unwrap_or_default();
    request.body(kube::client::Body::from(body.into_bytes())).map_err(|error| error.to_string())
}
