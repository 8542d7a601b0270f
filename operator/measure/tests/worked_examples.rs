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
    Amounts, Consumer, CounterSample, LinearPower, Node, Policy, UnitEnergy, attribute, facility_energy,
    integrate_counter, teads,
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

/// Cloud Carbon Footprint, packages/core, memory, storage and networking: MemoryEstimator.test.ts (80 GB-hours at 0.392 Wh,
/// 90 in another region), StorageEstimator.test.ts (a TB-hour of an SSD at 1.2 Wh and of a disk at 0.65 Wh, and two of
/// each), NetworkingEstimator.test.ts (10,000,000 GB at 0.001 kWh, with and without a PUE). Small ones times 1,000,000, so
/// that every digit they print is there.
#[test]
fn cloud_carbon_footprint_memory_storage_and_network() {
    const MILLION: i64 = 1_000_000;
    const GB_HOUR: i64 = 1_000_000_000 * HOUR;
    // Microwatt-hours of a unit, units, PUE in thousandths, mg of a kWh, and what it prints: kWh and tonnes times a million,
    // which are milliwatt-hours and grams of a million of them.
    let rows = [
        (392_000, 80 * MILLION, 1135, 415_755, 35_593_600_000, 14_798_217_168),
        (392_000, 90 * MILLION, 1110, 479_000, 39_160_800_000, 18_758_023_200),
        (1_200_000, MILLION, 1135, 415_755, 1_362_000_000, 566_258_310),
        (650_000, MILLION, 1135, 415_755, 737_750_000, 306_723_251),
        (1_200_000, 2 * MILLION, 1135, 415_755, 2_724_000_000, 1_132_516_620),
        (650_000, 2 * MILLION, 1135, 415_755, 1_475_500_000, 613_446_503),
        (1_000_000, 10_000_000, 1135, 415_755, 11_350_000_000, 4_718_819_250),
        (1_000_000, 10_000_000, 1090, 109_000, 10_900_000_000, 1_188_100_000),
        (1_000_000, 10_000_000, 1000, 109_000, 10_000_000_000, 1_090_000_000),
    ];
    for (micro, units, pue, mg_per_kwh, energy, carbon) in rows {
        let it = UnitEnergy { micro }.energy(units, 1).unwrap();
        let room = facility_energy(it, PerMille(pue)).unwrap();
        assert_eq!(room, MilliwattHours(energy), "{units} of {micro}");
        assert_eq!(factor(mg_per_kwh).emissions(room), Ok(Milligrams(carbon)), "{units} of {micro}");
    }
    // A byte is as good a measure as a GB: 8 GiB for a day, as an hour of a hundredth of it.
    let whole = UnitEnergy { micro: 392_000 }.energy((8 << 30) * 24 * HOUR, GB_HOUR).unwrap();
    assert_eq!(whole, MilliwattHours(80_814));
    assert!(UnitEnergy { micro: 1 }.energy(1, 0).is_err());
    assert!(UnitEnergy { micro: -1 }.energy(1, 1).is_err());
}

/// Cloud Carbon Footprint, EmbodiedEmissionsEstimator.test.ts: a day of one of 96 vCPUs of a server of 1.7957 t that lives
/// 35,040 hours is 0.000012811786529680366 t.
#[test]
fn cloud_carbon_footprint_embodied_emissions() {
    let server = |total| Embodied {
        total: Milligrams(total),
        reserved_seconds: 24 * HOUR,
        lifespan_seconds: 35_040 * HOUR,
        resources: 1,
        resources_total: 96,
    };
    assert_eq!(server(1_795_700_000).share(), Ok(Milligrams(12_812)));
    assert_eq!(server(1_795_700_000_000_000).share(), Ok(Milligrams(12_811_786_530)));
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

/// SCI guide, case study eShoppen (Microsoft), use-case-submissions/msft-eShoppen.md: application server, database, client
/// and network for one hour at 951 g/kWh, by TDP and by GB carried. It prints 66.6906 g, 50.76 g and 14.54 g for three of
/// them; for the client it multiplies 12.16 W of memory by 0.12 and prints the product without doing so, and rounds
/// 0.00336 kWh to 0.0036 on the way, so there the equation is worked out with the energy it prints.
#[test]
fn sci_guide_eshoppen() {
    const HUNDREDTHS: i64 = 10;
    let part = |energy: MilliwattHours, hardware: Option<(i64, i64, i64)>| {
        let device = hardware.map(|(kilograms_hundredths, resources, total)| Embodied {
            total: Milligrams(kilograms_hundredths * 10_000),
            reserved_seconds: HOUR,
            lifespan_seconds: 35_040 * HOUR,
            resources,
            resources_total: total,
        });
        sci(energy, &factor(951_000), device.as_slice(), "500 users for an hour", 1).unwrap()
    };
    // 18.4 % and 10 % of use are both taken at the curve's point of 10 %, a factor of 0.32.
    let chip = |tdp: i64| MilliwattHours(teads(Milliwatts(tdp * 1000), PerMille(100)).unwrap().0);
    assert_eq!((chip(205), chip(150)), (MilliwattHours(65_600), MilliwattHours(48_000)));
    let application = part(chip(205), Some((120_552, 2, 16)));
    assert_eq!((application.operational, application.embodied), (Milligrams(62_386), Milligrams(4_301)));
    let database = part(chip(150), Some((143_312, 2, 16)));
    assert_eq!((database.operational, database.embodied), (Milligrams(45_648), Milligrams(5_112)));
    let client = part(MilliwattHours(3_600 + 12_160), Some((35_000, 1, 1)));
    assert_eq!((client.operational, client.embodied), (Milligrams(14_988), Milligrams(9_989)));
    // It carries 1.16 + 14.3 GB and goes on with 15.29.
    let network = part(UnitEnergy { micro: 1_000_000 }.energy(15_290, 1000).unwrap(), None);
    let grams = |score: &Score| (score.micrograms_per_unit().unwrap() / 1000 + HUNDREDTHS / 2) / HUNDREDTHS;
    // Its embodied share of the server is 1205.52 / 35040 / 8 = 4.3006 g; it prints 4.305.
    let told = [&application, &database, &client, &network].map(grams);
    assert_eq!(told, [6_669, 5_076, 2_498, 1_454]);
    let whole = application.plus(&database).and_then(|sum| sum.plus(&client)).and_then(|sum| sum.plus(&network));
    let whole = whole.unwrap().micrograms_per_unit().unwrap();
    assert!((whole - 156_958_600).abs() < 20_000, "{whole} for 156.9586 g");
}

/// SCI guide, case study of a fraud detection API (Endava), table of embodied emissions: nine kinds of instances for a day
/// of three years, each with its vCPUs of its host; it prints 9.403287671 kg in all, with 23.5 kWh at 473 g for 1,728,000
/// calls. The memory of one instance (8.589934592 GB for a day at PUE 1.135) is 0.09172400876814336 kWh in the same study.
#[test]
fn sci_guide_fraud_detection_api() {
    // Instances, kilograms in tenths, vCPUs, vCPUs of the host, and the kilograms it prints, in 1e-9.
    let instances = [
        (2, 16_104, 4, 96, 122_557_078),
        (3, 13_441, 16, 96, 613_744_292),
        (3, 16_104, 16, 96, 735_342_466),
        (3, 16_104, 8, 96, 367_671_233),
        (3, 16_104, 2, 96, 91_917_808),
        (3, 21_429, 16, 96, 978_493_151),
        (13, 16_104, 2, 8, 4_779_726_027),
        (6, 21_429, 8, 96, 978_493_151),
        (1, 16_104, 4, 8, 735_342_466),
    ];
    let device = |(count, tenths, vcpus, of, _): (i64, i64, i64, i64, i64), parts: i64| Embodied {
        total: Milligrams(count * tenths * 100_000 * parts),
        reserved_seconds: 24 * HOUR,
        lifespan_seconds: 26_280 * HOUR,
        resources: vcpus,
        resources_total: of,
    };
    for instance in instances {
        // A thousand of each, so that every digit it prints is there.
        assert_eq!(device(instance, 1000).share(), Ok(Milligrams(instance.4)), "{instance:?}");
    }
    let memory = UnitEnergy { micro: 392_000 }.energy(8_589_934_592 * 24, 1_000_000_000).unwrap();
    assert_eq!(facility_energy(memory, PerMille(1135)), Ok(MilliwattHours(91_724)));
    let hardware = instances.map(|instance| device(instance, 1));
    let score = sci(MilliwattHours(23_500_000), &factor(473_000), &hardware, "call", 1_728_000).unwrap();
    assert_eq!(score.operational, Milligrams(11_115_500));
    assert!((score.embodied.0 - 9_403_288).abs() <= 4, "{:?}", score.embodied);
    let all = score.operational.checked_add(score.embodied).unwrap();
    // It cuts the embodied grams, and then prints 20,549 for 20,518.5: 11,115.5 and 9,403 do not add up to it.
    assert_eq!(all.0 / 1000, 20_518);
    assert_eq!(score.micrograms_per_unit(), Some(11_874));
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
