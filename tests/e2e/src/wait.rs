//! Waiting for a state, with a deadline and the last state seen in the message.

use std::fmt::Display;
use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// What one look gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen<T> {
    /// The state waited for, with what the test wants of it.
    Done(T),
    /// Another state, told for the message.
    NotYet(String),
}

impl<T> Seen<T> {
    /// Not yet, because of what is seen.
    pub fn not_yet(seen: impl Display) -> Self {
        Self::NotYet(seen.to_string())
    }

    /// Done when a condition holds.
    pub fn when(condition: bool, value: T, seen: impl Display) -> Self {
        if condition { Self::Done(value) } else { Self::not_yet(seen) }
    }
}

/// Looks until the state is there. A look that fails counts as a state: servers are killed on purpose here.
///
/// # Errors
/// When it is not there in time; says what was waited for and what was last seen.
pub async fn eventually<T, F>(what: &str, within: Duration, mut look: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Seen<T>>>,
{
    let began = Instant::now();
    loop {
        let seen = match look().await {
            Ok(Seen::Done(value)) => return Ok(value),
            Ok(Seen::NotYet(seen)) => seen,
            Err(error) => format!("{error:#}"),
        };
        if began.elapsed() > within {
            bail!("failed to see that {what} within {} s; last seen: {seen}", within.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_message_names_what_was_waited_for_and_the_last_state() {
        let mut looks = 0;
        let waited = eventually("three pods run", Duration::from_millis(150), || {
            looks += 1;
            let seen = format!("{looks} pods");
            async move { Ok(Seen::<()>::NotYet(seen)) }
        });
        let told = waited.await.unwrap_err().to_string();
        assert!(told.contains("three pods run"), "{told}");
        assert!(told.ends_with(&format!("last seen: {looks} pods")), "{told}");
    }

    #[tokio::test]
    async fn a_failed_look_is_a_state_and_not_the_end() {
        let mut looks = 0;
        let value = eventually("it answers", Duration::from_secs(5), || {
            looks += 1;
            let look = looks;
            async move { if look < 3 { bail!("connection refused") } else { Ok(Seen::Done(look)) } }
        });
        assert_eq!(value.await.unwrap(), 3);
    }
}
