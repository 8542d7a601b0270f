//! A real API server gives the answers that the transcripts of the world hold. With `JIUZHOU_RECORD=1` they are written
//! anew from what it says; with `JIUZHOU_TRANSCRIPTS_KUBECONFIG` another server than the hub is asked, with
//! `JIUZHOU_TRANSCRIPTS_ONLY` only the files whose names contain a word.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use futures::FutureExt;
use futures::future::BoxFuture;
use jiuzhou_e2e::Fleet;
use jiuzhou_world::conformance::{Answer, Case, Server, Transcript, ask};
use kube::api::{Api, Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

struct Real(Client);

impl Server for Real {
    fn client(&self) -> Client {
        self.0.clone()
    }

    fn settle(&self) -> BoxFuture<'_, ()> {
        tokio::time::sleep(std::time::Duration::from_millis(250)).boxed()
    }

    fn elapse(&self, _: i64) {}

    fn may_change(&self) -> bool {
        true
    }
}

async fn client() -> Result<Client> {
    let Some(path) = std::env::var_os("JIUZHOU_TRANSCRIPTS_KUBECONFIG") else {
        let fleet = Fleet::start().await?;
        // The stories before have brought the policies of the chart, which the world of the tests does not have.
        fleet.hub().kubectl(&["delete", "validatingadmissionpolicybinding", "--all"])?;
        return Ok(fleet.hub().client.clone());
    };
    let path = PathBuf::from(path);
    let file = Kubeconfig::read_from(&path).with_context(|| format!("failed to read {}", path.display()))?;
    let mut config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
    config.default_retry = false;
    // The process may hold two providers through other crates; the first choice of any test stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::try_from(config).context("failed to make a client")
}

/// Our definitions, served; those that are there stay.
async fn install(client: &Client) -> Result<()> {
    use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let served = api.list(&kube::api::ListParams::default()).await?;
    let names: Vec<&str> = served.iter().filter_map(|definition| definition.metadata.name.as_deref()).collect();
    for definition in jiuzhou_api::all_crds() {
        if names.contains(&definition.metadata.name.as_deref().unwrap_or_default()) {
            continue;
        }
        let name = definition.metadata.name.clone().context("a definition has a name")?;
        api.patch(&name, &PatchParams::apply("transcripts").force(), &Patch::Apply(&definition)).await?;
        let established = kube::runtime::conditions::is_crd_established();
        let wait = kube::runtime::wait::await_condition(api.clone(), &name, established);
        tokio::time::timeout(std::time::Duration::from_secs(30), wait)
            .await
            .with_context(|| format!("failed to see {name}"))??;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_gives_the_recorded_answers() -> Result<()> {
    let record = std::env::var_os("JIUZHOU_RECORD").is_some();
    let only = std::env::var("JIUZHOU_TRANSCRIPTS_ONLY").unwrap_or_default();
    let client = client().await?;
    install(&client).await?;
    let run = jiff::Timestamp::now().as_second() % 1_000_000;
    let (mut same, mut differ) = (0, Vec::new());
    for (path, mut transcript) in Transcript::all()? {
        let file = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !file.contains(&only) {
            continue;
        }
        for (number, case) in transcript.cases.iter_mut().enumerate() {
            let server = Real(client.clone());
            let answers = ask(case, &format!("{file}-{run}-{number}"), &server).await;
            match answers {
                Ok(answers) if record => keep(case, answers),
                Ok(answers) => match first_difference(case, &answers) {
                    None => same += 1,
                    Some(text) => differ.push(format!("{file}: {}: {text}", case.case)),
                },
                Err(error) => differ.push(format!("{file}: {}: {:#}", case.case, anyhow::Error::from(error))),
            }
        }
        if record {
            transcript.write(&path)?;
        }
    }
    ensure!(differ.is_empty(), "{same} cases are equal, {} differ:\n{}", differ.len(), differ.join("\n"));
    Ok(())
}

fn keep(case: &mut Case, answers: Vec<Answer>) {
    for (step, answer) in case.steps.iter_mut().zip(answers) {
        step.answer = Some(answer);
    }
}

fn first_difference(case: &Case, answers: &[Answer]) -> Option<String> {
    let mut pairs = case.steps.iter().zip(answers).enumerate();
    let (number, (step, got)) = pairs.find(|(_, (step, got))| step.answer.as_ref() != Some(*got))?;
    Some(format!("step {number}\n  recorded: {:?}\n  now:      {got:?}", step.answer))
}
