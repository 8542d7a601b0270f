//! The world answers every recorded request as the real API server did.

use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::SignedDuration;
use jiuzhou_world::conformance::{Answer, Server, Transcript, ask};
use jiuzhou_world::{Clock, World};

struct InMemory(World);

impl Server for InMemory {
    fn client(&self) -> kube::Client {
        self.0.client()
    }

    fn settle(&self) -> BoxFuture<'_, ()> {
        self.0.settle();
        async {}.boxed()
    }

    fn elapse(&self, seconds: i64) {
        self.0.clock().advance(SignedDuration::from_secs(seconds));
    }

    fn may_change(&self) -> bool {
        false
    }
}

#[tokio::test]
async fn the_world_answers_as_a_real_server_did() {
    let (mut same, mut differ) = (0, Vec::new());
    for (path, transcript) in Transcript::all().unwrap() {
        let file = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for (number, case) in transcript.cases.iter().enumerate() {
            let server = InMemory(World::hub("transcripts", Clock::default()));
            // Revisions as long as those of a server that has lived.
            server.0.skip_revisions(100_000);
            server.0.compact();
            let answers = ask(case, &format!("{file}-{number}"), &server).await;
            let wanted: Vec<Option<Answer>> = case.steps.iter().map(|step| step.answer.clone()).collect();
            match answers {
                Ok(answers) if answers.iter().map(Some).eq(wanted.iter().map(Option::as_ref)) => same += 1,
                Ok(answers) => differ.push(difference(&file, &case.case, &wanted, &answers)),
                Err(error) => differ.push(format!("{file}: {}: {error:?}", case.case)),
            }
        }
    }
    assert!(differ.is_empty(), "{same} cases are equal, {} differ:\n{}", differ.len(), differ.join("\n"));
    assert!(same >= 120, "only {same} cases are recorded");
}

/// The first step that differs, both sides.
fn difference(file: &str, case: &str, wanted: &[Option<Answer>], answers: &[Answer]) -> String {
    let text = |answer: &Answer| serde_json::to_string(answer).expect("an answer is JSON");
    let mut pairs = wanted.iter().zip(answers).enumerate();
    let Some((step, (wanted, got))) = pairs.find(|(_, (wanted, got))| wanted.as_ref() != Some(*got)) else {
        return format!("{file}: {case}: {} steps answered of {}", answers.len(), wanted.len());
    };
    let wanted = wanted.as_ref().map_or_else(|| "nothing recorded".to_owned(), text);
    format!("{file}: {case}: step {step}\n  real:  {wanted}\n  world: {}", text(got))
}
