//! Published worked examples, fed into the same formulas as the reports: what their authors print has to come out.
//!
//! Each table names its source. Where a source prints its inputs only, the expected figure is its own equation worked out,
//! and the comment says so.

use jiff::Timestamp;
use jiuzhou_engine::terms::{Fen, Milligrams, MilliwattHours, Milliwatts, ObjectRef, PerMille};
use jiuzhou_measure::Month;
use jiuzhou_measure::carbon::{Embodied, Factor, Score, Series, sci};
use jiuzhou_measure::cost::{MicroFen, Price, PriceBook, PriceUnit, Service, Usage, charged, price_month};
use jiuzhou_measure::energy::{
    Amounts, Consumer, CounterSample, LinearPower, Node, Policy, attribute, facility_energy, integrate_counter,
};

const HOUR: i64 = 3600;

fn factor(mg_per_kwh: i64) -> Factor {
    Factor {
        area: "example".to_owned(),
        year: 2020,
        series: Series::Average,
        mg_per_kwh,
        source: String::new(),
        confidence: String::new(),
    }
}

fn consumer(workload: &str, cpu: i64) -> Consumer {
    let used = Amounts { cpu, memory: 0 };
    Consumer { tenant: "t".to_owned(), workload: workload.to_owned(), requested: used, used, observed: true }
}

/// Kepler, docs/developer/power-attribution-guide.md, examples 1 to 4. One hour, so watts are watt-hours; CPU time in
/// milliseconds stands for millicores, only its ratio counts.
#[test]
fn kepler_power_attribution_guide() {
    // Total watts, use of the node in thousandths of its CPU, active milliwatt-hours, CPU time of the node.
    type Row = (i64, (i64, i64), i64, i64, &'static [(&'static str, i64, i64)]);
    let rows: [Row; 3] = [
        (40, (1, 4), 10_000, 1000, &[("container", 200, 2000)]),
        (
            60,
            (1, 3),
            20_000,
            1000,
            &[
                ("process-1", 100, 2000),
                ("container-a", 150, 3000),
                ("container-b", 60, 1200),
                ("pod-x", 200, 4000),
                ("vm", 200, 4000),
            ],
        ),
        // Examples 3 and 4 print the ratios: 15 % and 25 % of the active power, here of 10 W.
        (40, (1, 4), 10_000, 1000, &[("web-server", 150, 1500), ("frontend", 250, 2500)]),
    ];
    for (watts, (part, whole), active, node_time, workloads) in rows {
        assert_eq!(watts * 1000 * part / whole, active);
        let node = Node {
            active: MilliwattHours(active),
            idle: MilliwattHours(watts * 1000 - active),
            cpu_used: node_time,
            allocatable: Amounts { cpu: 4000, memory: 1 },
            idle_by_cpu: PerMille(1000),
        };
        let consumers: Vec<Consumer> = workloads.iter().map(|(name, time, _)| consumer(name, *time)).collect();
        // Kepler gives idle power to nobody.
        let split = attribute(&node, &consumers, Policy::ActiveOnly).unwrap();
        for (name, _, wanted) in workloads {
            assert_eq!(split.workloads[*name].active, MilliwattHours(*wanted), "{name} of {watts} W");
            assert_eq!(split.workloads[*name].idle, MilliwattHours(0));
        }
        assert_eq!(split.unallocated, node.idle);
        let given: i64 = workloads.iter().map(|(_, _, wanted)| wanted).sum();
        assert_eq!(split.system, MilliwattHours(active - given), "what no workload used stays the system's");
    }
}

/// Kepler, the same guide, calculateEnergyDelta: forward, and once around the counter's maximum.
#[test]
fn kepler_counters_wrap_at_their_maximum() {
    let at = |seconds: i64| Timestamp::from_second(1_750_000_000 + seconds).unwrap();
    let joules = |joules: i64| joules * 1_000_000;
    for (before, after, max, wanted) in [(3600, 10_800, 262_144, 7200), (260_344, 1800, 262_144, 3600)] {
        let samples = [
            CounterSample { at: at(0), microjoules: joules(before) },
            CounterSample { at: at(60), microjoules: joules(after) },
        ];
        let source = ObjectRef::new("MemberCluster", "", "rapl");
        let series = integrate_counter(&source, &samples, Some(joules(max)), 300_000).unwrap();
        let energy: i64 = series.hours.values().map(|bucket| bucket.energy.0).sum();
        // 3.6 J are one milliwatt-hour.
        assert_eq!(energy, wanted * 10 / 36, "{before} to {after}");
    }
}

/// Cloud Carbon Footprint, packages/core, ComputeEstimator.test.ts: one vCPU-hour at 1 %, 0.71 to 3.46 W, PUE 1.135.
/// It prints 0.001674125 kWh and 6.960258e-7 t for two copies in us-east-1, 0.0008370625 kWh and 7.76794e-7 t for one in
/// af-south-1. Ten thousand of them at once, so that no digit of theirs is lost in whole milliwatts.
#[test]
fn cloud_carbon_footprint_compute_estimator() {
    const SCALE: i64 = 10_000;
    for (copies, mg_per_kwh, milliwatt_hours, milligrams) in
        [(2, 415_755, 16_741_250, 6_960_258), (1, 928_000, 8_370_625, 7_767_940)]
    {
        let vcpus = LinearPower { idle: Milliwatts(710 * SCALE), peak: Milliwatts(3460 * SCALE) };
        let it = vcpus.energy(PerMille(10), copies, HOUR).unwrap();
        let room = facility_energy(it, PerMille(1135)).unwrap();
        assert_eq!(room, MilliwattHours(milliwatt_hours));
        assert_eq!(factor(mg_per_kwh).emissions(room), Ok(Milligrams(milligrams)));
    }
}

/// Cloud Carbon Footprint, methodology: the average of min and max watts at 50 % for named processors, per vCPU.
#[test]
fn cloud_carbon_footprint_average_watts() {
    for (idle, peak, per_mille, wanted) in
        [(640, 3970, 500, 2305), (650, 4260, 500, 2455), (820, 2550, 500, 1685), (740, 3500, 500, 2120)]
    {
        let vcpu = LinearPower { idle: Milliwatts(idle), peak: Milliwatts(peak) };
        assert_eq!(vcpu.at(PerMille(per_mille)), Ok(Milliwatts(wanted)));
    }
}

/// SCI specification, embodied emissions: 1000 kg over four years, reserved for one hour, "or around 28 g".
#[test]
fn sci_specification_time_share() {
    let device = Embodied {
        total: Milligrams(1_000_000_000),
        reserved_seconds: HOUR,
        lifespan_seconds: 4 * 365 * 24 * HOUR,
        resources: 1,
        resources_total: 1,
    };
    let share = device.share().unwrap();
    assert_eq!(share, Milligrams(28_539));
    assert_eq!(share.0 / 1000, 28);
}

/// SCI guide, quick guide: an e2-standard-4 with 1,329 g of operation in a month, 1,230.3 kg embodied over four years, one
/// month of it and 4 of 32 vCPU, 20,000 requests. The guide prints these inputs; the figures are its equation worked out.
#[test]
fn sci_guide_quick_guide() {
    let server = Embodied {
        total: Milligrams(1_230_300_000),
        reserved_seconds: 1,
        lifespan_seconds: 48,
        resources: 4,
        resources_total: 32,
    };
    assert_eq!(server.share(), Ok(Milligrams(3_203_906)));
    let score = sci(MilliwattHours(1_000_000), &factor(1_329_000), &[server], "request", 20_000).unwrap();
    assert_eq!((score.operational, score.embodied), (Milligrams(1_329_000), Milligrams(3_203_906)));
    assert_eq!(score.micrograms_per_unit(), Some(226_645));
}

/// SCI guide, case study of an on-premise web system (NTT DATA): eleven devices for one hour at 457 g/kWh, bought for four
/// years, 38,032,740 web interactions. It prints each score in units of 1e-7 g to two digits that it cuts, and 4.12e-5 g
/// for all. Its energies include the machine room's overhead already.
#[test]
fn sci_guide_on_premise_web_system() {
    const INTERACTIONS: i64 = 38_032_740;
    // Embodied kg, kWh in the hour in millionths, and the score it prints in 1e-9 g.
    let devices = [
        (251, 4_960, 247),
        (251, 811, 198),
        (251, 0, 188),
        (251, 955, 199),
        (251, 0, 188),
        (6270, 139_000, 6_374),
        (6270, 116_000, 6_098),
        (6270, 149_000, 6_495),
        (6270, 147_000, 6_470),
        (6270, 258_000, 7_804),
        (6270, 193_000, 7_023),
    ];
    let mut whole: Option<Score> = None;
    for (kilograms, millionths, printed) in devices {
        let device = Embodied {
            total: Milligrams(kilograms * 1_000_000),
            reserved_seconds: HOUR,
            lifespan_seconds: 4 * 365 * 24 * HOUR,
            resources: 1,
            resources_total: 1,
        };
        let score =
            sci(MilliwattHours(millionths), &factor(457_000), &[device], "web interaction", INTERACTIONS).unwrap();
        let nanograms = score.picograms_per_unit().unwrap() / 1000;
        assert!((nanograms - printed).abs() <= 2, "{nanograms} for {printed}");
        whole = Some(whole.map_or(score.clone(), |sum| sum.plus(&score).unwrap()));
    }
    let whole = whole.unwrap().picograms_per_unit().unwrap();
    assert_eq!(whole / 100_000, 412, "4.12e-5 g");
}

/// OpenCost specification 0.1: amount x duration x hourly rate with its own example values (2 cores, 24 hours, 0.2 per
/// core-hour), workload costs by max(request, usage), idle cost as assets less workloads.
#[test]
fn opencost_specification_assets_workloads_and_idle() {
    let month = Month::parse("2026-06").unwrap();
    let book = PriceBook::new(vec![Price {
        service: Service::Cpu,
        code: "cpu".to_owned(),
        provider: None,
        platform: None,
        unit: PriceUnit::Hour,
        price: MicroFen(20_000_000),
        from: month,
        until: None,
    }]);
    let from = month.start();
    let to = Timestamp::from_second(from.as_second() + 24 * HOUR).unwrap();
    let bill = |lines: &[(&str, i64)]| {
        let usage: Vec<Usage> = lines
            .iter()
            .map(|(name, milli)| Usage {
                name: (*name).to_owned(),
                subject: ObjectRef::new("Tenant", "", name),
                service: Service::Cpu,
                provider: String::new(),
                platforms: std::collections::BTreeSet::new(),
                quantity_milli: *milli,
                from,
                to,
            })
            .collect();
        price_month(&book, &usage, month).unwrap()
    };
    let assets = bill(&[("node", 2000)]).total;
    // Two cores for a day at 0.2: 9.6.
    assert_eq!(assets, Fen(960));
    // Requested 0.5 and used 0.25, requested 0.25 and used 0.75: 0.5 and 0.75 cores are charged.
    let workloads = bill(&[("a", charged(500, 250)), ("b", charged(250, 750))]);
    let parts: Vec<Option<Fen>> = workloads.lines.iter().map(|line| line.amount).collect();
    assert_eq!((parts, workloads.total), (vec![Some(Fen(240)), Some(Fen(360))], Fen(600)));
    let idle = assets.0 - workloads.total.0;
    assert_eq!((idle, idle * 1000 / assets.0), (360, 375));
}
