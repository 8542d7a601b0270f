//! Meters of pools and the use of workloads, from YAML to the account; the fleet is that of `tests`.

use jiuzhou_engine::terms::MilliwattHours;
use jiuzhou_measure::Ratio;
use jiuzhou_measure::energy::{Account, Provenance};

use super::tests::{FLEET, as_of, month, read, system, workload};

fn account(fleet: &str, usage: &str, of: &str) -> Account {
    let native = system("native", "  hosting: {state: CloudNative}\n");
    let runs = workload("native", "2026-11-01T00:00:00Z", ", ready: 2") + usage;
    month(&read(&[fleet, &native, &runs].concat(), as_of()), of)
}

#[test]
fn a_room_without_an_it_meter_is_measured_by_the_meters_of_its_pools() {
    let readings = "  poolReadings:\n  - {pool: a, month: 2026-08, wattHours: 420000, source: BMC}\n  poolFacts:\n";
    let fleet = FLEET.replacen("  poolFacts:\n", readings, 1);
    let august = &account(&fleet, "", "2026-08").sites[0];
    let metered = Some(MilliwattHours(420_000_000));
    assert_eq!((august.it, august.it_source, august.pool_meters), (metered, Some(Provenance::Measured), metered));
    // October has the room's own meter, and no reading of the pool.
    let october = &account(&fleet, "", "2026-10").sites[0];
    assert_eq!((october.it, october.pool_meters), (Some(MilliwattHours(1_000_000_000)), None));
}

#[test]
fn active_energy_goes_by_the_use_that_was_read_and_the_account_says_of_how_many() {
    let usage = "  usage:\n  - {cluster: dali-1, month: 2026-10, cpuMillicores: 500}\n";
    let read = account(FLEET, usage, "2026-10");
    // Active energy is a third of 1000 kWh; 0.5 of the 8 CPUs in use are ours, and 2 of 16 by request for the idle part.
    let ours = read.tenants["dali-civil"];
    assert_eq!((ours.active.0 / 1000, ours.idle.0 / 1000, read.use_observed()), (20_833, 83_333, Ratio::new(1, 1)));
    // A month that was not read is shared by requests, and the account says so.
    let not_read = account(FLEET, usage, "2026-09");
    assert_eq!(not_read.use_observed(), Ratio::new(0, 1));
}
