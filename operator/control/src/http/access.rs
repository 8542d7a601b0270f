//! Who may read the metrics: anybody on loopback, else whoever the hub vouches for.
//!
//! A `TokenReview` says who the bearer is, a `SubjectAccessReview` whether they may `get` `/metrics`, as Prometheus'
//! own RBAC grants it. Answers are kept for a minute by the digest of the token, so that a scrape every few seconds
//! costs the hub nothing; tokens are never kept or logged. A flood of unknown tokens is turned away here.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiuzhou_engine::terms::Digest;
use k8s_openapi::api::{
    authentication::v1::{TokenReview, TokenReviewSpec, UserInfo},
    authorization::v1::{NonResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec},
};
use kube::{Api, Client, api::PostParams};
use tokio::{sync::Semaphore, time::Instant};

use crate::rights::{Reach, Right, When};

/// Who the bearer of a token is.
pub(crate) const MAY_AUTHENTICATE: Right = Right {
    reach: Reach::Cluster,
    when: When::Always,
    group: "authentication.k8s.io",
    resources: &["tokenreviews"],
    names: &[],
    verbs: &["create"],
    en: "who reads the metrics",
    zh: "确认读取指标者的身份",
};

/// Whether they may.
pub(crate) const MAY_AUTHORIZE: Right = Right {
    group: "authorization.k8s.io",
    resources: &["subjectaccessreviews"],
    en: "whether they may read the metrics",
    zh: "确认其是否有权读取指标",
    ..MAY_AUTHENTICATE
};

/// How callers of `/metrics` are told apart.
#[derive(Debug)]
pub enum Access {
    /// They are not: the listener is on loopback.
    Loopback,
    /// By bearer token.
    Tokens(Tokens),
}

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Granted,
    /// Nobody knows this token, or there is none.
    Unknown,
    Denied,
    /// The hub cannot be asked now.
    Unavailable,
}

impl Access {
    pub(super) async fn ask(&self, token: Option<&str>) -> Answer {
        match (self, token) {
            (Self::Loopback, _) => Answer::Granted,
            (Self::Tokens(_), None) => Answer::Unknown,
            (Self::Tokens(tokens), Some(token)) => tokens.ask(token).await,
        }
    }
}

/// Asks the hub about tokens, and remembers its answers for a minute.
pub struct Tokens {
    client: Client,
    known: Mutex<BTreeMap<Digest, (Instant, Answer)>>,
    asking: Semaphore,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

/// How long an answer holds; a revoked token is refused after that.
const KEPT: Duration = Duration::from_secs(60);
/// Most answers kept.
const KEPT_MAX: usize = 256;
/// Most questions to the hub at a time.
const ASKING_MAX: usize = 4;
/// Longest bearer token of Kubernetes is a few kilobytes.
const TOKEN_MAX: usize = 16 << 10;

impl Tokens {
    /// Asks this hub.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client, known: Mutex::default(), asking: Semaphore::new(ASKING_MAX) }
    }

    async fn ask(&self, token: &str) -> Answer {
        if token.is_empty() || token.len() > TOKEN_MAX {
            return Answer::Unknown;
        }
        let digest = Digest::sha256(token.as_bytes());
        if let Some(answer) = self.remembered(&digest) {
            return answer;
        }
        let Ok(_turn) = self.asking.try_acquire() else { return Answer::Unavailable };
        match self.review(token).await {
            Ok(answer) => {
                self.remember(digest, answer);
                answer
            }
            Err(error) => {
                tracing::warn!(%error, "failed to ask the hub who reads the metrics");
                Answer::Unavailable
            }
        }
    }

    async fn review(&self, token: &str) -> Result<Answer, kube::Error> {
        let review = TokenReview {
            spec: TokenReviewSpec { token: Some(token.to_owned()), audiences: None },
            ..TokenReview::default()
        };
        let reviews = Api::<TokenReview>::all(self.client.clone());
        let status = reviews.create(&PostParams::default(), &review).await?.status.unwrap_or_default();
        let Some(user) = status.user.filter(|_| status.authenticated == Some(true)) else { return Ok(Answer::Unknown) };
        let reviews = Api::<SubjectAccessReview>::all(self.client.clone());
        let review = reviews.create(&PostParams::default(), &may_read(user)).await?;
        let status = review.status.unwrap_or_default();
        let granted = status.allowed && status.denied != Some(true);
        Ok(if granted { Answer::Granted } else { Answer::Denied })
    }

    fn remembered(&self, digest: &Digest) -> Option<Answer> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(digest).filter(|(until, _)| Instant::now() < *until).map(|(_, answer)| *answer)
    }

    fn remember(&self, digest: Digest, answer: Answer) {
        let now = Instant::now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT_MAX {
            known.retain(|_, (until, _)| now < *until);
        }
        if known.len() < KEPT_MAX {
            known.insert(digest, (now + KEPT, answer));
        }
    }
}

fn may_read(user: UserInfo) -> SubjectAccessReview {
    SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: user.username,
            groups: user.groups,
            uid: user.uid,
            extra: user.extra,
            non_resource_attributes: Some(NonResourceAttributes {
                path: Some("/metrics".into()),
                verb: Some("get".into()),
            }),
            resource_attributes: None,
        },
        ..SubjectAccessReview::default()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use axum::body::{Body, to_bytes};
    use http::{Request, Response};
    use kube::client::Body as KubeBody;
    use serde_json::{Value, json};

    use super::*;

    /// A hub that knows the tokens `prometheus` (may read) and `tenant` (may not); counts what it is asked.
    fn hub(asked: Arc<AtomicU32>, up: bool) -> Client {
        let service = tower::service_fn(move |request: Request<KubeBody>| {
            let asked = Arc::clone(&asked);
            async move {
                asked.fetch_add(1, Ordering::Relaxed);
                let path = request.uri().path().to_owned();
                let bytes = to_bytes(Body::new(request.into_body()), 1 << 20).await.unwrap();
                let mut body: Value = serde_json::from_slice(&bytes).unwrap();
                let status = match path.as_str() {
                    "/apis/authentication.k8s.io/v1/tokenreviews" => match body["spec"]["token"].as_str().unwrap() {
                        "nobody" => json!({ "authenticated": false, "error": "unknown" }),
                        name => json!({ "authenticated": true, "user": { "username": name, "groups": ["g"] } }),
                    },
                    "/apis/authorization.k8s.io/v1/subjectaccessreviews" => {
                        let spec = &body["spec"];
                        assert_eq!(spec["nonResourceAttributes"], json!({ "path": "/metrics", "verb": "get" }));
                        assert_eq!(spec["groups"], json!(["g"]));
                        json!({ "allowed": spec["user"] == "prometheus" })
                    }
                    other => panic!("asked for {other}"),
                };
                body["status"] = status;
                let code = if up { 201 } else { 500 };
                let answer = Response::builder().status(code).body(Body::from(body.to_string())).unwrap();
                Ok::<_, std::convert::Infallible>(answer)
            }
        });
        Client::new(service, "default")
    }

    #[tokio::test]
    async fn the_hub_says_who_may_read_and_is_asked_once_a_minute() {
        let asked = Arc::new(AtomicU32::new(0));
        let access = Access::Tokens(Tokens::new(hub(Arc::clone(&asked), true)));
        assert_eq!(access.ask(None).await, Answer::Unknown);
        assert_eq!(access.ask(Some("")).await, Answer::Unknown);
        for _ in 0..3 {
            assert_eq!(access.ask(Some("prometheus")).await, Answer::Granted);
            assert_eq!(access.ask(Some("tenant")).await, Answer::Denied);
            assert_eq!(access.ask(Some("nobody")).await, Answer::Unknown);
        }
        assert_eq!(asked.load(Ordering::Relaxed), 2 + 2 + 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_asked_for_again_after_a_minute() {
        let asked = Arc::new(AtomicU32::new(0));
        let access = Access::Tokens(Tokens::new(hub(Arc::clone(&asked), true)));
        access.ask(Some("nobody")).await;
        tokio::time::advance(KEPT).await;
        access.ask(Some("nobody")).await;
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn when_the_hub_cannot_be_asked_nobody_reads() {
        let access = Access::Tokens(Tokens::new(hub(Arc::default(), false)));
        assert_eq!(access.ask(Some("prometheus")).await, Answer::Unavailable);
    }

    #[tokio::test]
    async fn loopback_needs_no_token() {
        assert_eq!(Access::Loopback.ask(None).await, Answer::Granted);
    }

    #[test]
    fn a_flood_of_tokens_does_not_grow_the_memory() {
        let tokens = Tokens::new(hub_that_is_never_asked());
        for number in 0..10_000_u32 {
            tokens.remember(Digest::sha256(&number.to_le_bytes()), Answer::Unknown);
        }
        assert_eq!(tokens.known.lock().unwrap().len(), KEPT_MAX);
    }

    fn hub_that_is_never_asked() -> Client {
        let service = tower::service_fn(|_: Request<KubeBody>| async {
            Err::<Response<Body>, std::io::Error>(std::io::Error::other("never asked"))
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        // A client starts its buffer's task where it is made.
        runtime.block_on(async { Client::new(service, "default") })
    }
}
