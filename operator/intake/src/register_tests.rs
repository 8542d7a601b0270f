//! Registers as a bureau sends them, onto what is there and onto nothing.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use jiuzhou_engine::terms::Severity;

use super::*;
use crate::{Fleet, Options, load_texts};

const HEAD: &str = "\u{feff}项目编码,系统名称,所属单位,所属职能,数据级别,定级人,定级日期,承载方式,上云日期,等保等级,备案编号,RTO（分钟）,联系人,联系方式\r\n";

fn options() -> Options {
    Options::at("2026-11-23T15:59:59Z".parse().unwrap())
}

/// The first story: a tenant with one namespace and one system, KM-2026-0001.
fn there() -> Fleet {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/01-first-tenant");
    let texts: Vec<(String, String)> = ["tenants", "systems", "sites"]
        .map(|name| (format!("{name}.yaml"), std::fs::read_to_string(folder.join(format!("{name}.yaml"))).unwrap()))
        .into();
    let texts: Vec<(String, &[u8])> = texts.iter().map(|(name, text)| (name.clone(), text.as_bytes())).collect();
    load_texts(&texts, &options()).unwrap()
}

fn read(register: &str, assets: &str) -> Imported {
    let register = (!register.is_empty()).then_some(("清单.csv", register.as_bytes()));
    let assets = (!assets.is_empty()).then_some(("资产.csv", assets.as_bytes()));
    import(&there().objects, register, assets)
}

fn told(imported: &Imported) -> Vec<(Code, u32, String)> {
    let one = |finding: &Finding| {
        let line = finding.place.as_ref().map_or(0, |place| place.line);
        let column = if let jiuzhou_engine::terms::Value::Text(text) = &finding.reason.object { text } else { "" };
        (finding.reason.code, line, column.to_owned())
    };
    imported.findings.iter().map(one).collect()
}

/// What comes out is valid as it stands, beside what was there.
fn sound(imported: &Imported) {
    let value =
        |item: &crate::objects::Item<jiuzhou_api::v1alpha1::Tenant>| serde_json::to_value(&*item.object).unwrap();
    let mut fleet: Vec<Value> = there().objects.tenants.values().map(value).collect();
    fleet.extend(imported.objects.iter().cloned());
    let list = serde_json::to_vec(&json!({ "apiVersion": "v1", "kind": "List", "items": fleet })).unwrap();
    let again = load_texts(&[("out.json".to_owned(), &list)], &options()).unwrap();
    // A namespace of its own is the tenant's to take, which `validate` says.
    let of_ours = |one: &Finding| one.subject.as_ref().is_some_and(|subject| subject.kind == "InformationSystem");
    let unusable =
        |one: &&Finding| of_ours(one) && one.severity == Severity::Error && one.reason.code != Code::NamespaceUnowned;
    let errors: Vec<_> = again.findings.iter().filter(unusable).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert_eq!(again.objects.systems.len(), imported.objects.len());
}

#[test]
fn a_row_is_a_system_with_what_it_says_and_nothing_more() {
    let text = format!(
        "{HEAD}KM-2026-0002,智慧停车,昆明市人民政府办公室,公共服务,一般,业务科,2026/4/2,云原生,2026年6月1日,二级,53010-1,30,张工,0871-1\r\n"
    );
    let imported = read(&text, "");
    assert_eq!(told(&imported), []);
    let spec = &imported.objects[0]["spec"];
    assert_eq!(spec["tenant"], "kunming", "by its name for people");
    assert_eq!((&spec["functionDomain"], &spec["dataClass"]["class"]), (&json!("PublicService"), &json!("General")));
    assert_eq!((&spec["dataClass"]["setOn"], &spec["hosting"]["since"]), (&json!("2026-04-02"), &json!("2026-06-01")));
    assert_eq!((&spec["protection"]["level"], &spec["recoveryTimeMinutes"]), (&json!(2), &json!(30)));
    assert_eq!(spec["contacts"], json!([{ "name": "张工", "reach": "0871-1" }]));
    assert!(spec.get("exemption").is_none() && spec["hosting"].get("evidence").is_none());
    let namespace = imported.objects[0]["metadata"]["namespace"].as_str().unwrap();
    assert!(namespace.starts_with("kunming-km-2026-0002"), "{namespace}");
    sound(&imported);
}

#[test]
fn a_code_that_is_there_changes_that_system_and_keeps_the_rest_of_it() {
    let text = "projectCode,displayName,tenant,functionDomain,dataClass,setBy\n\
        KM-2026-0001,昆明市政务服务总门户,kunming,GovernmentOperation,Important,数据科\n";
    let imported = read(text, "");
    assert_eq!((told(&imported), imported.objects.len()), (vec![], 1));
    let object = &imported.objects[0];
    assert_eq!(
        (&object["metadata"]["name"], &object["metadata"]["namespace"]),
        (&json!("portal"), &json!("kunming-portal"))
    );
    assert_eq!(object["spec"]["displayName"], "昆明市政务服务总门户");
    assert_eq!(object["spec"]["hosting"]["state"], "CloudNative", "the row says nothing of it");
    sound(&imported);
}

#[test]
fn every_row_that_cannot_be_used_is_told_with_its_line_and_column() {
    let rows = "KM-9,系统,昆明市人民政府办公室,公共服务,一般,科,,,,,,,,\n\
        KM-9,同码,昆明市人民政府办公室,公共服务,一般,科,,,,,,,,\n\
        KM-10,系统,昆明市人民政府办公市,公共服务,一般,科,,,,,,,,\n\
        KM-11,系统,昆明市人民政府办公室,别的,一般,科,,,,,,,,\n\
        KM-12,系统,昆明市人民政府办公室,公共服务,内部,科,,,,,,,,\n\
        KM-13,系统,昆明市人民政府办公室,公共服务,一般,,,,,,,,,\n\
        KM-14,系统,昆明市人民政府办公室,公共服务,一般,科,2026-02-30,,,,,,,\n\
        KM-15,系统,昆明市人民政府办公室,公共服务,一般,科,,云上,,,,,,\n\
        KM-16,系统,昆明市人民政府办公室,公共服务,一般,科,,,,六级,,,,\n\
        KM-17,系统,昆明市人民政府办公室,公共服务,一般,科,,,,,,-1,,\n\
        KM-18,系统,昆明市人民政府办公室,公共服务\n\
        ,系统,昆明市人民政府办公室,公共服务,一般,科,,,,,,,,\n\
        KM-19,某涉密系统,昆明市人民政府办公室,公共服务,涉密（机密）,科,,,,,,,,\n";
    let imported = read(&format!("{HEAD}{rows}"), "");
    let invalid = |line, column: &str| (Code::TableRowInvalid, line, column.to_owned());
    let mut all = told(&imported);
    all.sort_by_key(|(_, line, _)| *line);
    let secret = all.pop().unwrap();
    assert_eq!((secret.0, secret.1), (Code::StateSecretRefused, 14));
    let shown = imported.findings.iter().find(|one| one.reason.code == Code::StateSecretRefused).unwrap();
    assert!(shown.place.as_ref().unwrap().text.is_empty(), "nothing of it is repeated");
    assert_eq!(
        all,
        [
            invalid(3, "projectCode"),
            invalid(4, "tenant"),
            invalid(5, "functionDomain"),
            invalid(6, "dataClass"),
            invalid(7, "setBy"),
            invalid(8, "setOn"),
            invalid(9, "hosting"),
            invalid(10, "protectionLevel"),
            invalid(11, "recoveryTimeMinutes"),
            (Code::TableRowUneven, 12, String::new()),
            invalid(13, "projectCode"),
        ]
    );
    assert_eq!(imported.objects.len(), 1, "the first row stands");
    let near = imported.findings.iter().find(|one| one.place.as_ref().is_some_and(|place| place.line == 4)).unwrap();
    assert_eq!(near.reason.wanted, vec!["昆明市人民政府办公室".to_owned()].into());
}

#[test]
fn assets_go_to_their_system_and_replace_those_of_their_name() {
    let assets = "项目编码,名称,类型,vCPU,内存（GiB）,品牌,云服务商,启用日期,停用日期,服务目录编码\n\
        KM-2026-0001,门户库 1,数据库,,,,cec,2026-03-01,,DB-01\n\
        kunming-portal/portal,vm-1,云主机,8,32,海光,cec,2026-03-01,2026-09-30,\n\
        KM-2026-0001,vm-1,虚拟机,4,16,,,,,\n\
        KM-404,vm-2,虚拟机,4,16,,,,,\n\
        KM-2026-0001,vm-3,虚拟机,四,16,,,,,\n\
        KM-2026-0001,vm-4,虚拟机,4,16,,,2026-03-01,2026-02-01,\n";
    let imported = read("", assets);
    let columns: Vec<(u32, String)> = told(&imported).into_iter().map(|(_, line, column)| (line, column)).collect();
    let expected = [(4, "name"), (5, "system"), (6, "cpus"), (7, "until")];
    assert_eq!(columns, expected.map(|(line, column)| (line, column.to_owned())));
    let all = imported.objects[0]["spec"]["assets"].as_array().unwrap();
    let vm = all.iter().find(|asset| asset["name"] == "vm-1").unwrap();
    assert_eq!((&vm["kind"], &vm["cpus"], &vm["brand"]), (&json!("VirtualMachine"), &json!(8), &json!("Hygon")));
    assert_eq!((&vm["since"], &vm["until"]), (&json!("2026-03-01"), &json!("2026-09-30")));
    let database = all.iter().find(|asset| asset["kind"] == "Database").unwrap();
    assert_eq!((&database["code"], database.get("cpus")), (&json!("DB-01"), None));
    sound(&imported);
    // The same again changes nothing.
    assert_eq!(read("", assets).objects, imported.objects);
}

#[test]
fn without_anything_there_the_list_stands_alone_and_a_table_that_is_none_is_told() {
    let text = "projectCode,displayName,tenant,functionDomain,dataClass,setBy\nA-1,门户,kunming,公共服务,核心,科\nA-2,门户,昆明,公共服务,核心,科\n";
    let alone = import(&Objects::default(), Some(("a.csv", text.as_bytes())), None);
    assert_eq!(told(&alone), [(Code::TableRowInvalid, 3, "tenant".to_owned())], "no name of an object");
    assert_eq!(alone.objects[0]["spec"]["dataClass"]["class"], "Core");
    let codes = |bytes: &[u8]| told(&import(&Objects::default(), Some(("a.csv", bytes)), None))[0].0;
    assert_eq!(codes(b"\xcf\xee\xc4\xbf"), Code::TableNotUtf8);
    assert_eq!(codes(b"PK\x03\x04"), Code::TableColumnMissing);
    assert_eq!(codes(b""), Code::TableColumnMissing);
}
