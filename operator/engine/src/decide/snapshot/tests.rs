//! Digests of a snapshot that lives.

use super::*;
use crate::decide::fixture::{self, Dice};

#[test]
fn a_kept_digest_is_that_of_a_fresh_snapshot_after_every_kind_of_change() {
    let mut dice = Dice::new(7);
    let mut fleet = fixture::fleet(&mut dice, 4);
    fleet.specs = (0..4).map(|n| fixture::spec(&mut dice, n, true)).collect();
    let mut kept = Snapshot::new(fleet.clone()).unwrap();
    let mut seen = BTreeSet::from([kept.digest().unwrap()]);
    let mut check = |kept: &Snapshot, fleet: &FleetInput| {
        let digest = kept.digest().unwrap();
        assert_eq!(digest, Snapshot::new(fleet.clone()).unwrap().digest().unwrap());
        assert!(seen.insert(digest), "every change is seen");
    };
    fleet.specs[1].replicas += 1;
    kept.upsert_spec(fleet.specs[1].clone());
    check(&kept, &fleet);
    let gone = fleet.specs.remove(2);
    kept.remove_spec(&gone.key);
    check(&kept, &fleet);
    fleet.tenants[0].headroom_percent += 1;
    kept.upsert_tenant(fleet.tenants[0].clone());
    check(&kept, &fleet);
    fleet.tiers[0].strict = !fleet.tiers[0].strict;
    kept.set_tiers(fleet.tiers.clone()).unwrap();
    check(&kept, &fleet);
    fleet.clusters[3].region = "110000".to_owned();
    kept.upsert_cluster(fleet.clusters[3].clone());
    check(&kept, &fleet);
}
