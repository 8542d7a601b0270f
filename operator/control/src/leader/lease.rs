//! The lease as a `coordination.k8s.io/v1` object on the hub.
//!
//! Every write is a PUT with the resourceVersion that was read, or a POST for a lease that is not there: the API server
//! compares and swaps. Number of transitions, holder, duration and times are where other tools look for them.

use std::time::Duration;

use jiuzhou_api::meta::{LABEL_MANAGED_BY, MANAGED_BY};
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};

use super::{Held, LeaseError, LeaseStore};

/// A lease by namespace and name.
#[derive(Clone, Debug)]
pub struct KubeLease {
    leases: Api<Lease>,
    name: String,
}

impl KubeLease {
    /// The lease of this name; it is made when there is none.
    #[must_use]
    pub fn new(client: Client, namespace: &str, name: impl Into<String>) -> Self {
        Self { leases: Api::namespaced(client, namespace), name: name.into() }
    }
}

impl LeaseStore for KubeLease {
    async fn read(&self) -> Result<Option<Held>, LeaseError> {
        self.leases.get_opt(&self.name).await.map(|lease| lease.map(held)).map_err(failed)
    }

    async fn write(&self, lease: Held) -> Result<String, LeaseError> {
        let version = lease.version.clone();
        let object = object(&self.name, lease);
        let params = PostParams { field_manager: Some(jiuzhou_api::meta::FIELD_MANAGER.into()), ..Default::default() };
        let written = if version.is_empty() {
            self.leases.create(&params, &object).await
        } else {
            self.leases.replace(&self.name, &params, &object).await
        };
        Ok(written.map_err(failed)?.metadata.resource_version.unwrap_or_default())
    }
}

fn held(lease: Lease) -> Held {
    let spec = lease.spec.unwrap_or_default();
    let seconds = u64::try_from(spec.lease_duration_seconds.unwrap_or(0)).unwrap_or(0);
    Held {
        holder: spec.holder_identity.filter(|holder| !holder.is_empty()),
        term: u64::try_from(spec.lease_transitions.unwrap_or(0)).unwrap_or(0),
        duration: Duration::from_secs(seconds),
        version: lease.metadata.resource_version.unwrap_or_default(),
    }
}

fn object(name: &str, lease: Held) -> Lease {
    let now = MicroTime(jiff::Timestamp::now());
    // A lease that is given back holds for a second, as client-go writes it, for tools that require the field.
    let seconds = if lease.holder.is_some() { lease.duration.as_secs().max(1) } else { 1 };
    Lease {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            labels: Some([(LABEL_MANAGED_BY.to_owned(), MANAGED_BY.to_owned())].into()),
            resource_version: Some(lease.version).filter(|version| !version.is_empty()),
            ..ObjectMeta::default()
        },
        spec: Some(LeaseSpec {
            holder_identity: lease.holder,
            lease_duration_seconds: Some(i32::try_from(seconds).unwrap_or(i32::MAX)),
            lease_transitions: Some(i32::try_from(lease.term).unwrap_or(i32::MAX)),
            renew_time: Some(now),
            ..LeaseSpec::default()
        }),
    }
}

fn failed(error: kube::Error) -> LeaseError {
    match &error {
        // Gone between read and write, or made by another: both are a change since the read.
        kube::Error::Api(status) if matches!(status.code, 404 | 409) => LeaseError::Conflict,
        _ => LeaseError::Hub(Box::new(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_reads_back_as_what_was_written() {
        let lease =
            Held { holder: Some("me".into()), term: 7, duration: Duration::from_secs(15), version: "42".into() };
        let object = object("jiuzhou", lease.clone());
        assert_eq!(held(object.clone()), lease);
        let spec = object.spec.unwrap();
        assert_eq!((spec.lease_transitions, spec.lease_duration_seconds), (Some(7), Some(15)));
        assert!(spec.renew_time.is_some());
    }

    #[test]
    fn a_lease_that_was_given_back_has_no_holder_in_either_spelling() {
        let free = Held { holder: None, term: 7, duration: Duration::from_secs(15), version: "42".into() };
        assert_eq!(held(object("jiuzhou", free)).holder, None);
        let spec = LeaseSpec { holder_identity: Some(String::new()), ..LeaseSpec::default() };
        assert_eq!(held(Lease { spec: Some(spec), ..Lease::default() }).holder, None);
    }

    #[test]
    fn a_new_lease_has_no_version_to_compare() {
        let new =
            Held { holder: Some("me".into()), term: 1, duration: Duration::from_secs(15), version: String::new() };
        assert_eq!(object("jiuzhou", new).metadata.resource_version, None);
    }
}
