//! A plan as a file: its inputs, what was decided, and the digests that tie them together.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::bail;
use jiuzhou_engine::decide::{self, Plan, PlanInput, canonical};
use jiuzhou_engine::terms::{Digest, DigestAlgorithm};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// The form of the file. A reader refuses another major version and ignores fields it does not know.
const FORMAT: &str = "jiuzhou-plan/1";

/// What `plan --save` writes and `replay` and `--against` read.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Saved {
    /// [`FORMAT`].
    format: String,
    /// Version of the program that decided.
    pub(crate) engine_version: String,
    /// SHA-256 of the canonical bytes of `input`.
    pub(crate) input_digest: Digest,
    /// SHA-256 of the canonical bytes of `plan`.
    pub(crate) plan_digest: Digest,
    /// SM3 of the same bytes.
    pub(crate) plan_digest_sm3: Digest,
    /// What was decided.
    pub(crate) plan: Plan,
    /// What it was decided from.
    pub(crate) input: PlanInput,
}

/// As many as the machine has cores; no byte depends on it.
pub(crate) fn threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

impl Saved {
    /// Decides.
    pub(crate) fn decide(input: PlanInput) -> anyhow::Result<Self> {
        let input_digest = canonical::digest(&input, DigestAlgorithm::Sha256)?;
        let replay = decide::replay_on(input.clone(), threads())?;
        tracing::info!(decisions = replay.plan.decisions.len(), input = %input_digest, plan = %replay.sha256, "decided");
        Ok(Self {
            format: FORMAT.to_owned(),
            engine_version: env!("CARGO_PKG_VERSION").to_owned(),
            input_digest,
            plan_digest: replay.sha256,
            plan_digest_sm3: replay.sm3,
            plan: replay.plan,
            input,
        })
    }

    /// A batch that a hub decided and recorded, with the digests it was recorded under.
    #[cfg(feature = "hub")]
    pub(crate) fn recorded(decided: jiuzhou_control::Decided) -> anyhow::Result<Self> {
        let jiuzhou_control::Decided { engine_version, input, plan, sha256, sm3 } = decided;
        Ok(Self {
            format: FORMAT.to_owned(),
            engine_version,
            input_digest: canonical::digest(&input, DigestAlgorithm::Sha256)?,
            plan_digest: sha256,
            plan_digest_sm3: sm3,
            plan,
            input,
        })
    }

    /// The bytes of the file.
    pub(crate) fn bytes(&self) -> anyhow::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads a saved plan; `None` when the path is something else (a folder, YAML).
    pub(crate) fn read(path: &Path) -> anyhow::Result<Option<Self>> {
        if !path.is_file() {
            return Ok(None);
        }
        let name = || path.display().to_string();
        let bytes = fs::read(path).map_err(|source| Failure::Read { path: name(), source })?;
        #[derive(Deserialize)]
        struct Head {
            format: String,
        }
        let Ok(head) = serde_json::from_slice::<Head>(&bytes) else { return Ok(None) };
        if head.format != FORMAT {
            bail!(Failure::Form { path: name(), found: head.format, wanted: FORMAT });
        }
        let saved = serde_json::from_slice(&bytes).map_err(|source| Failure::NotAPlan { path: name(), source })?;
        Ok(Some(saved))
    }
}
