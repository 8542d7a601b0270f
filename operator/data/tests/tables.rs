//! Every table parses, says where each row is from, and holds what its readers rely on.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_data::{
    ACCELERATOR_CLASSES, ACCELERATORS, ALL, ASSESSMENT_DIMENSIONS, ASSESSMENT_ITEMS, COUNTIES, DATA_CLASSES,
    EFFICIENCY_LIMITS, GLOSSARY, GRID_FACTORS, GRID_REGIONS, INDEX, POWER_DEFAULTS, PREFECTURES, PROVINCES,
    SERVER_POWER, TERMS, TIERS, Table, VCPU_POWER, VOCABULARIES,
};

type Row = BTreeMap<&'static str, &'static str>;

/// The rows of a table by column name; panics on a ragged one.
fn rows(table: Table) -> Vec<Row> {
    let mut lines = table.text.lines().filter(|line| !line.starts_with('#'));
    let columns: Vec<_> = lines.next().expect("a table has columns").split('\t').collect();
    lines
        .map(|line| {
            let cells: Vec<_> = line.split('\t').collect();
            assert_eq!(cells.len(), columns.len(), "{}: {line}", table.name);
            columns.iter().copied().zip(cells).collect()
        })
        .collect()
}

fn tsv() -> impl Iterator<Item = Table> {
    ALL.iter().chain(INDEX).copied().filter(|table| table.name.ends_with(".tsv"))
}

fn column(table: Table, name: &str) -> Vec<&'static str> {
    rows(table).iter().map(|row| row[name]).collect()
}

fn number(text: &str) -> i64 {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

#[test]
fn every_file_on_disk_is_listed_in_order_of_name() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut on_disk = Vec::new();
    for folder in ["cpu-platforms", "kinds", "tables", "tiers"] {
        for file in std::fs::read_dir(root.join(folder)).unwrap() {
            on_disk.push(format!("{folder}/{}", file.unwrap().file_name().to_str().unwrap()));
        }
    }
    on_disk.sort();
    let listed: Vec<_> = ALL.iter().map(|table| table.name).collect();
    assert_eq!(listed, on_disk);
    let files = std::fs::read_dir(root.join("index")).unwrap().count();
    assert_eq!(INDEX.len(), files);
}

#[test]
fn every_table_has_a_head_and_every_row_a_source_a_date_and_a_confidence() {
    for table in ALL {
        let stated = |line: &str| {
            let (comment, field) = (line.starts_with('#'), line.trim_start().starts_with("source: "));
            field || comment && line.contains("source: ")
        };
        assert!(table.text.lines().any(stated), "{}", table.name);
        assert!(!table.text.contains('\r') && !table.source.is_empty());
    }
    for table in tsv() {
        let rows = rows(table);
        assert!(!rows.is_empty(), "{}", table.name);
        for row in rows {
            assert!(row.values().all(|cell| !cell.is_empty() && cell.trim() == *cell), "{}: {row:?}", table.name);
            assert!(row["source"].len() > 1 && row.contains_key("date"), "{}", table.name);
            let sure = ["certain", "secondary", "derived", "memory", "unverified"].contains(&row["confidence"]);
            assert!(sure, "{}: {row:?}", table.name);
        }
    }
}

#[test]
fn no_key_appears_twice() {
    let keys = |table: Table| -> &'static [&'static str] {
        match table.name.trim_start_matches("tables/").trim_end_matches(".tsv") {
            "accelerator-classes" => &["class", "resource"],
            "accelerators" => &["vendor", "card"],
            "grid-factors" => &["area", "year", "series"],
            "grid-regions" => &["province"],
            "vocabularies" => &["vocabulary", "code"],
            "server-power" => &["server"],
            "vcpu-power" | "cpu-power" => &["cpu"],
            "power-curves" => &["family"],
            "data-classes" => &["class"],
            "counties" | "prefectures" | "provinces" => &["code"],
            _ => &["id"],
        }
    };
    for table in tsv() {
        let mut seen = BTreeSet::new();
        for row in rows(table) {
            let key: Vec<_> = keys(table).iter().map(|column| row[column]).collect();
            assert!(seen.insert(key.clone()), "{}: {key:?} twice", table.name);
        }
    }
}

#[test]
fn the_provinces_are_those_of_the_standard() {
    let listed = "110000 120000 130000 140000 150000 210000 220000 230000 310000 320000 330000 340000 350000 360000 \
                  370000 410000 420000 430000 440000 450000 460000 500000 510000 520000 530000 540000 610000 620000 \
                  630000 640000 650000 710000 810000 820000";
    assert_eq!(column(PROVINCES, "code").join(" "), listed);
    let iso: BTreeSet<_> = column(PROVINCES, "iso").into_iter().collect();
    assert_eq!(iso.len(), 34);
}

#[test]
fn prefectures_and_counties_lie_in_what_they_name() {
    let provinces: BTreeSet<_> = column(PROVINCES, "code").into_iter().collect();
    let prefectures = rows(PREFECTURES);
    assert_eq!(prefectures.len(), 333, "the count of the Ministry of Civil Affairs");
    for row in &prefectures {
        assert!(row["code"].len() == 6 && row["code"].ends_with("00") && number(row["code"]) > 0);
        assert_eq!(row["province"], format!("{}0000", &row["code"][..2]));
        assert!(provinces.contains(row["province"]));
    }
    let known: BTreeSet<_> = prefectures.iter().map(|row| row["code"]).collect();
    for row in rows(COUNTIES) {
        let code = row["code"];
        assert!(code.len() == 6 && !code.ends_with("00") && number(code) > 0, "{row:?}");
        assert_eq!(row["province"], format!("{}0000", &code[..2]));
        if row["prefecture"] == "-" {
            assert!(!known.contains(format!("{}00", &code[..4]).as_str()), "{row:?}");
        } else {
            assert_eq!(row["prefecture"], format!("{}00", &code[..4]));
            assert!(known.contains(row["prefecture"]), "{row:?}");
        }
    }
}

/// Codes read independently of the list's source, and the counts of the example places.
#[test]
fn the_codes_of_known_places_are_right() {
    let names: BTreeMap<_, _> = rows(PREFECTURES).iter().map(|row| (row["code"], row["name"])).collect();
    for (code, name) in [
        ("532900", "大理"),
        ("320300", "徐州"),
        ("513300", "甘孜"),
        ("130100", "石家庄"),
        ("140100", "太原"),
        ("150100", "呼和浩特"),
        ("210100", "沈阳"),
        ("210200", "大连"),
        ("220100", "长春"),
        ("222400", "延边"),
        ("230100", "哈尔滨"),
        ("320100", "南京"),
        ("320500", "苏州"),
        ("330100", "杭州"),
        ("330200", "宁波"),
        ("340100", "合肥"),
        ("350100", "福州"),
        ("350200", "厦门"),
        ("360100", "南昌"),
        ("370100", "济南"),
        ("370200", "青岛"),
        ("410100", "郑州"),
        ("420100", "武汉"),
        ("422800", "恩施"),
        ("430100", "长沙"),
        ("440100", "广州"),
        ("440300", "深圳"),
        ("450100", "南宁"),
        ("460100", "海口"),
        ("460200", "三亚"),
        ("460300", "三沙"),
        ("510100", "成都"),
        ("513200", "阿坝"),
        ("513400", "凉山"),
        ("520100", "贵阳"),
        ("530100", "昆明"),
        ("540100", "拉萨"),
        ("610100", "西安"),
        ("620100", "兰州"),
        ("620900", "酒泉"),
        ("630100", "西宁"),
        ("640100", "银川"),
        ("650100", "乌鲁木齐"),
        ("650200", "克拉玛依"),
        ("653100", "喀什地区"),
    ] {
        assert!(names[code].starts_with(name), "{code} is {}", names[code]);
    }
    for (prefecture, counties) in [("532900", 12), ("320300", 10), ("513300", 18)] {
        let found = column(COUNTIES, "prefecture").into_iter().filter(|code| *code == prefecture).count();
        assert_eq!(found, counties, "{prefecture}");
    }
}

#[test]
fn grid_factors_are_plausible_and_a_region_lies_between_its_members() {
    let mut factors = BTreeMap::new();
    for row in rows(GRID_FACTORS) {
        let mg = number(row["mg_per_kwh"]);
        let plausible = if row["series"].starts_with("lifecycle-") { 30_000..100_000 } else { 100_000..1_000_000 };
        assert!(plausible.contains(&mg), "{row:?}");
        factors.insert((row["area"], row["year"], row["series"]), mg);
    }
    let provinces: BTreeSet<_> =
        factors.keys().map(|key| key.0).filter(|area| area.starts_with(|c: char| c.is_ascii_digit())).collect();
    assert_eq!(provinces.len(), 30);
    for absent in ["540000", "710000", "810000", "820000"] {
        assert!(!provinces.contains(absent), "{absent} has no published factor");
    }
    let members = rows(GRID_REGIONS);
    for region in members.iter().map(|row| row["region"]).collect::<BTreeSet<_>>() {
        for year in ["2021", "2022"] {
            let of = |area| factors.get(&(area, year, "average")).copied();
            let inside = members.iter().filter(|row| row["region"] == region).filter_map(|row| of(row["province"]));
            let inside: Vec<_> = inside.collect();
            let value = of(region).expect("a region has both years");
            assert!(inside.iter().min() <= Some(&value) && Some(&value) <= inside.iter().max(), "{region} {year}");
        }
    }
    for province in column(GRID_REGIONS, "province") {
        assert!(column(PROVINCES, "code").contains(&province));
    }
    assert_eq!(factors[&("530000", "2022", "average")], 107_300);
    assert_eq!(factors[&("CN", "2023", "residual")], 609_600);
}

#[test]
fn limits_have_possible_values_and_do_not_end_before_they_start() {
    for row in rows(EFFICIENCY_LIMITS) {
        let value = number(row["per_mille"]);
        let possible = match row["metric"] {
            "pue" => row["bound"] == "max" && (1000..=2000).contains(&value),
            "ref" | "rack-occupancy" => row["bound"] == "min" && (1..=1000).contains(&value),
            "wue" => row["bound"] == "max" && value > 0,
            _ => false,
        };
        assert!(possible, "{row:?}");
        let day = |text: &str| text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        assert!(day(row["from"]) && (row["until"] == "-" || (day(row["until"]) && row["from"] <= row["until"])));
    }
}

#[test]
fn power_rows_rise_from_idle_to_peak() {
    for row in rows(SERVER_POWER) {
        let [low, idle, high, peak] = ["idle_low_mw", "idle_mw", "idle_high_mw", "peak_mw"].map(|c| number(row[c]));
        assert!(0 < low && low <= idle && idle <= high && high < peak, "{row:?}");
    }
    for row in rows(VCPU_POWER) {
        assert!(0 < number(row["idle_mw"]) && number(row["idle_mw"]) < number(row["peak_mw"]), "{row:?}");
    }
    assert!(rows(POWER_DEFAULTS).iter().all(|row| number(row["value"]) > 0));
    assert!(rows(TERMS).iter().all(|row| number(row["months"]) > 0));
}

#[test]
fn classes_name_known_resources_and_tiers() {
    let resources: BTreeSet<_> = column(ACCELERATORS, "count_resource").into_iter().collect();
    for resource in column(ACCELERATOR_CLASSES, "resource") {
        assert!(resources.contains(resource), "{resource}");
    }
    for tier in column(DATA_CLASSES, "minimum_tier") {
        assert!(TIERS.iter().any(|table| table.text.contains(&format!("name: {tier}\n"))), "{tier}");
    }
}

#[test]
fn vocabularies_are_numbered_and_the_seven_functions_are_seven() {
    let mut counts = BTreeMap::<_, i64>::new();
    for row in rows(VOCABULARIES) {
        let count = counts.entry(row["vocabulary"]).or_default();
        *count += 1;
        assert_eq!(number(row["order"]), *count, "{row:?}");
        assert!(row["code"].bytes().all(|b| b.is_ascii_alphanumeric()), "{row:?}");
    }
    assert_eq!((counts["function-domain"], counts["cpu-brand"], counts["sovereignty-dimension"]), (7, 6, 6));
}

#[test]
fn the_glossary_is_bilingual() {
    for row in rows(GLOSSARY) {
        let chinese = row["zh"].chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        assert!(chinese && row["en"].is_ascii(), "{row:?}");
        assert!(row["id"].bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{row:?}");
    }
}

/// The readable part of the index: 85 of 100 points, 36 items, as many at each stage as the paper's table has ticks for.
#[test]
fn the_evaluation_index_has_the_weights_and_items_of_the_paper() {
    let weights: Vec<i64> = column(ASSESSMENT_DIMENSIONS, "weight").iter().map(|text| number(text)).collect();
    assert_eq!((weights.iter().sum::<i64>(), weights.len()), (85, 5));
    let dimensions = column(ASSESSMENT_DIMENSIONS, "id");
    let mut counts: BTreeMap<&str, [i64; 3]> = BTreeMap::new();
    for row in rows(ASSESSMENT_ITEMS) {
        assert!(dimensions.contains(&row["dimension"]), "{row:?}");
        let ticks = number(row["ticks"]);
        let stages = counts.entry(row["dimension"]).or_default();
        for (at, stage) in stages.iter_mut().enumerate() {
            *stage += i64::from(ticks + i64::try_from(at).unwrap() >= 3);
        }
    }
    let wanted = [[10, 15, 16], [3, 3, 3], [2, 5, 6], [1, 5, 6], [2, 4, 5]];
    assert_eq!(dimensions.iter().map(|id| counts[id]).collect::<Vec<_>>(), wanted);
    let ids: BTreeSet<_> = column(ASSESSMENT_ITEMS, "id").into_iter().collect();
    assert_eq!(ids.len(), 36);
}
