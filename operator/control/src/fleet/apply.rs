//! Step 4: what is done in the member: it is asked whether it lives, who it is and what it has; it is claimed.
//!
//! Everything has an end: a probe 10 seconds, a request 30, an inventory as much as its pages. A credential that is new
//! is tried before the old one is let go, so that a rotation costs nothing and a bad one does no harm.

use std::time::Duration;

use jiff::Timestamp;
use jiuzhou_api::conditions::ControllerReason;
use jiuzhou_api::v1alpha1::{HubClaim, MemberCluster};
use jiuzhou_member::claim::{self, Standing};
use jiuzhou_member::connection::{Connection, GuardError, Trouble};
use jiuzhou_member::inventory;
use kube::{Client, ResourceExt};
use tokio::time::{Instant, timeout};

use super::status::Problem;
use super::task::Memory;
use super::{Members, Outlook, Settings, status};

/// A probe that takes longer is a failed one.
const PROBE: Duration = Duration::from_secs(10);
/// Identity and claim are looked at again after this time.
const CONFIRM: Duration = Duration::from_secs(60);
/// How long a hub whose member was taken over may still believe that it is its own: until it looks at the claim again,
/// and the requests that it had begun by then.
const SETTLE: Duration = Duration::from_secs(60 + PROBE.as_secs() + 30);
/// Reading an inventory may take at most one part in so many of the time.
const PATIENCE: u32 = 20;

pub(super) async fn apply(
    object: &MemberCluster,
    outlook: &Outlook,
    settings: &Settings,
    memory: &mut Memory,
    candidate: Option<(Connection, String)>,
    members: &Members,
) {
    if let Some((connection, version)) = candidate {
        exchange(memory, connection, version).await;
    }
    let Some((connection, _)) = &memory.connection else { return };
    let client = connection.client();
    let answer = probe(&client).await;
    let answered = !answer.as_ref().is_err_and(is_down);
    let now = memory.now();
    memory.health.observe(answered, now);
    // The first words of an outage stay: others each time would be a write each time.
    let words = answer.as_ref().err().filter(|trouble| is_down(trouble)).map(ToString::to_string);
    memory.silence = words.map(|words| memory.silence.take().unwrap_or(words));
    if !answered {
        // Whoever comes back may be another.
        memory.confirmed = None;
        return;
    }
    memory.last_answer = Some(Timestamp::now());
    if memory.confirmed.is_none_or(|at| at.elapsed() >= CONFIRM) || memory.standing.is_some() {
        match confirm(object, outlook, memory, &client, members).await {
            Ok(standing) => {
                memory.standing = standing;
                memory.trouble = None;
                memory.confirmed = Some(Instant::now());
            }
            Err(trouble) => memory.trouble = Some(Problem::of(&trouble)),
        }
    }
    let nobody_elses = memory.standing.as_ref().is_none_or(|problem| problem.reason == ControllerReason::EpochBehind);
    let due = memory.read_again.is_none_or(|at| at <= Instant::now());
    if memory.confirmed.is_some() && nobody_elses && due {
        observe(object, outlook, settings, memory, &client).await;
    }
}

/// Takes a new credential into use when it leads to the same cluster.
async fn exchange(memory: &mut Memory, connection: Connection, version: String) {
    let says = claim::identity(&connection.client()).await;
    let refuse = |problem: Problem| Some((problem, Some(version.clone()), Instant::now()));
    match (says, &memory.identity) {
        (Ok(uid), Some(known)) if uid != *known => {
            memory.refusal = refuse(Problem::identity(known, &uid));
            // A first connection is kept for looking: the standing says that nothing is done there.
            if memory.connection.is_none() {
                memory.connection = Some((connection, version));
            }
        }
        (Err(Trouble::Unauthenticated(words)), _) => {
            let message = format!("the member does not take the credential (401): {words}");
            memory.refusal = refuse(Problem::new(ControllerReason::CredentialRefused, message));
        }
        // Whoever answers there is not whom the kubeconfig pins: nothing is sent to him.
        (Err(trouble @ Trouble::Untrusted(_)), _) => {
            memory.refusal = refuse(Problem::new(ControllerReason::CredentialRefused, trouble.to_string()));
        }
        // Better a working old one than a new one that cannot be tried.
        (Err(trouble), _) if trouble.is_silence() && memory.connection.is_some() => {}
        _ => {
            memory.refusal = None;
            memory.confirmed = None;
            memory.connection = Some((connection, version));
        }
    }
}

async fn probe(client: &Client) -> Result<(), Trouble> {
    let request = http::Request::get("/readyz").body(Vec::new()).expect("a constant path");
    match timeout(PROBE, client.request_text(request)).await {
        Ok(answer) => answer.map(drop).map_err(|error| Trouble::of(&error)),
        Err(_) => Err(Trouble::Cut(GuardError::Late)),
    }
}

/// An API server that is not ready answers 500; one that only refuses us is there.
fn is_down(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::Answered { code, .. } => *code >= 500,
        Trouble::NoConnection(_) | Trouble::Untrusted(_) | Trouble::Cut(_) | Trouble::Nonsense(_) => true,
        Trouble::Unauthenticated(_) | Trouble::Forbidden(_) | Trouble::NotFound(_) | Trouble::Conflict(_) => false,
    }
}

/// Who it is and whom it obeys. What stands against working there is the answer, not an error.
async fn confirm(
    object: &MemberCluster,
    outlook: &Outlook,
    memory: &mut Memory,
    client: &Client,
    members: &Members,
) -> Result<Option<Problem>, Trouble> {
    let hub = outlook.hub();
    let uid = claim::identity(client).await?;
    if let Some(known) = memory.identity.as_ref().filter(|known| **known != uid) {
        return Ok(Some(Problem::identity(known, &uid)));
    }
    let created = object.metadata.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0);
    if let Some(other) = members.identify(&uid, &object.name_any(), created) {
        let message = format!("this is the same cluster as MemberCluster {other}; delete one of the two");
        return Ok(Some(Problem::new(ControllerReason::DuplicateMember, message)));
    }
    memory.identity = Some(uid);
    if hub.id.is_empty() {
        return Ok(Some(Problem::new(
            ControllerReason::NotObserved,
            "the hub does not know its own id yet".to_owned(),
        )));
    }
    let recorded = object.status.as_ref().and_then(|status| status.claim.clone());
    let mut held = memory.claim.lock().await;
    *held = claim::read(client).await?;
    let found = held.as_ref().map(|found| found.claim.clone());
    let mut standing = claim::judge(found.as_ref(), &hub, recorded.as_ref());
    let mut epoch = found.map_or(0, |found| found.highest_epoch);
    let accepted = matches!(standing, Standing::MemberRolledBack { .. }) && status::is_accepted(object);
    if let Standing::Former { hub: former } = &standing {
        tracing::warn!(member = %object.name_any(), former, epoch, "taking over the member of a former hub");
        memory.taken_over = Some((former.clone(), Instant::now()));
    }
    if accepted {
        // What it was ordered since is applied again, and its claim says so again.
        epoch = hub.epoch.max(recorded.as_ref().map_or(0, |recorded| recorded.highest_epoch));
    }
    if accepted || matches!(standing, Standing::Free | Standing::Former { .. } | Standing::Ours { behind: true }) {
        let ours = HubClaim { hub: hub.id.as_str().into(), term: hub.term, highest_epoch: epoch };
        let written = claim::write(client, &ours, held.as_ref()).await?;
        standing = claim::judge(Some(&written.claim), &hub, None);
        *held = Some(written);
    }
    outlook.reached.notice(&standing);
    // The former hub may still write for as long as it believes in its claim.
    if let Some((former, at)) = &memory.taken_over
        && at.elapsed() < SETTLE
    {
        return Ok(Problem::standing(&Standing::Former { hub: former.clone() }));
    }
    memory.taken_over = None;
    Ok(Problem::standing(&standing))
}

/// Reads version, kinds and pools. What fails leaves what was known.
async fn observe(object: &MemberCluster, outlook: &Outlook, settings: &Settings, memory: &mut Memory, client: &Client) {
    let began = Instant::now();
    let stated = object.spec.pool_facts.iter().flat_map(|facts| facts.node_labels.keys().map(String::as_str));
    let mut dividing: Vec<&str> = stated.collect();
    dividing.sort_unstable();
    dividing.dedup();
    match inventory::observe(client, &outlook.catalogue, &dividing).await {
        Ok(seen) => {
            memory.inventory = Some(seen);
            memory.trouble = None;
        }
        Err(trouble) => memory.trouble = Some(Problem::of(&trouble)),
    }
    let pause = settings.inventory.max(began.elapsed() * PATIENCE);
    memory.read_again = Some(Instant::now() + pause);
}
