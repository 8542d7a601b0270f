//! The register of information systems (政务信息系统清单) and of their assets, from CSV as a spreadsheet exports it.
//!
//! A row of the register becomes an InformationSystem, a row of assets a machine, database or middleware of one. What is
//! there already is kept and only what a row says is changed, so that next year's list can be read over this year's. Every
//! row that cannot be used is a finding with its line and is left out; nothing is guessed, and what a cell does not say
//! stays unsaid. How a table is read stands in [`crate::table`].

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiuzhou_engine::terms::{Code, Finding, Place, Reason};
use serde_json::{Map, Value, json};

use crate::foreign::{Imported, name_of};
use crate::objects::Objects;
use crate::table::{self, Columns, Row, wrong};

/// A file: its name and its bytes.
pub type File<'a> = (&'a str, &'a [u8]);

/// Names that a finding lists at most.
const LISTED: usize = 12;
/// Longest name of an object and of a namespace.
const NAME_MOST: usize = 63;

const REGISTER: Columns = &[
    ("projectCode", &["项目编码", "编码"]),
    ("displayName", &["系统名称", "政务信息系统名称", "政务信息系统", "名称"]),
    ("tenant", &["单位", "所属单位", "主管单位", "建设单位"]),
    ("functionDomain", &["所属职能", "职能"]),
    ("dataClass", &["数据级别", "数据分级"]),
    ("setBy", &["定级人", "数据所有者"]),
    ("setOn", &["定级日期"]),
    ("confirmedBy", &["确认人"]),
    ("confirmedOn", &["确认日期"]),
    ("personal", &["含个人信息", "个人信息"]),
    ("namespace", &["命名空间"]),
    ("name", &["标识"]),
    ("region", &["区划代码", "行政区划", "区划"]),
    ("dutyKind", &["履职类型"]),
    ("hosting", &["承载方式", "承载状态", "部署方式"]),
    ("since", &["上云日期", "起始日期"]),
    ("evidence", &["证明文号", "验收文号"]),
    ("declaredBy", &["申报人"]),
    ("verifiedBy", &["核实人"]),
    ("verifiedOn", &["核实日期"]),
    ("protectionLevel", &["等保等级", "等级保护级别", "等保级别"]),
    ("filingNumber", &["备案编号", "备案号"]),
    ("businessLevel", &["业务重要程度", "重要程度"]),
    ("recoveryTimeMinutes", &["RTO（分钟）", "RTO(分钟)", "RTO"]),
    ("recoveryPointMinutes", &["RPO（分钟）", "RPO(分钟)", "RPO"]),
    ("exemption", &["豁免文号"]),
    ("exemptUntil", &["豁免截止日", "豁免至"]),
    ("contact", &["联系人"]),
    ("reach", &["联系方式", "联系电话"]),
];
const REGISTER_NEEDS: [&str; 6] = ["projectCode", "displayName", "tenant", "functionDomain", "dataClass", "setBy"];

const ASSETS: Columns = &[
    ("system", &["项目编码", "政务信息系统", "系统"]),
    ("name", &["资产名称", "名称", "主机名"]),
    ("kind", &["资产类型", "类型"]),
    ("product", &["产品"]),
    ("cpus", &["vCPU", "CPU 核数", "CPU核数", "核数"]),
    ("memoryGib", &["内存（GiB）", "内存(GiB)", "内存（GB）", "内存(GB)", "内存"]),
    ("platform", &["芯片平台"]),
    ("brand", &["芯片品牌", "品牌"]),
    ("os", &["操作系统"]),
    ("cloud", &["云服务商", "服务商"]),
    ("site", &["机房"]),
    ("since", &["启用日期"]),
    ("until", &["停用日期"]),
    ("code", &["服务目录编码", "目录编码"]),
];
const ASSETS_NEED: [&str; 3] = ["system", "name", "kind"];

/// A token of ours with what people write for it.
type Words = &'static [(&'static str, &'static [&'static str])];

const DOMAINS: Words = &[
    ("EconomicRegulation", &["经济调节"]),
    ("MarketSupervision", &["市场监管"]),
    ("SocialManagement", &["社会管理"]),
    ("PublicService", &["公共服务"]),
    ("EnvironmentalProtection", &["环境保护", "生态环境保护"]),
    ("GovernmentOperation", &["政务运行"]),
    ("GovernmentDisclosure", &["政务公开"]),
];
const CLASSES: Words =
    &[("General", &["一般", "一般数据"]), ("Important", &["重要", "重要数据"]), ("Core", &["核心", "核心数据"])];
const DUTIES: Words =
    &[("InwardManagement", &["对内管理"]), ("OutwardService", &["对外服务"]), ("Supervision", &["业务监管", "监管"])];
const HOSTING: Words = &[
    ("OnPremises", &["自有机房", "本地", "未上云"]),
    ("Hosted", &["托管"]),
    ("Lifted", &["平移上云", "平移"]),
    ("CloudNative", &["云原生"]),
    ("Retired", &["已退役", "退役", "已下线"]),
];
const LEVELS: Words =
    &[("Ordinary", &["一般", "一般业务"]), ("Important", &["重要", "重要业务"]), ("Core", &["核心", "核心业务"])];
const YES: Words = &[("true", &["是", "yes", "Y"]), ("false", &["否", "no", "N"])];
const KINDS: Words = &[
    ("VirtualMachine", &["虚拟机", "云主机", "云服务器", "VM"]),
    ("Machine", &["物理机", "服务器", "裸金属"]),
    ("Database", &["数据库"]),
    ("Middleware", &["中间件"]),
];
const BRANDS: Words = &[
    ("Kunpeng", &["鲲鹏"]),
    ("Phytium", &["飞腾"]),
    ("Hygon", &["海光"]),
    ("Loongson", &["龙芯"]),
    ("Zhaoxin", &["兆芯"]),
    ("Sunway", &["申威"]),
    ("Intel", &["英特尔"]),
    ("Amd", &["AMD", "超威"]),
];
/// What marks a system that handles state secrets, however it is written.
const SECRET: [&str; 4] = ["涉密", "秘密", "机密", "绝密"];

/// Reads the two lists, either of which may be absent, onto what is there: tenants are found by their name, their name for
/// people or their credit code, systems by project code or `NAMESPACE/NAME`.
#[must_use]
pub fn import(objects: &Objects, register: Option<File<'_>>, assets: Option<File<'_>>) -> Imported {
    let mut work = Work { objects, systems: BTreeMap::new(), codes: BTreeMap::new(), findings: Vec::new() };
    for (key, item) in &objects.systems {
        work.codes.insert(item.object.spec.project_code.to_string(), key.clone());
    }
    if let Some((name, bytes)) = register {
        let rows = table::read(name, bytes, REGISTER, &REGISTER_NEEDS, &mut work.findings);
        let mut codes = BTreeSet::new();
        for row in rows.unwrap_or_default() {
            let told = work.system(&row, &mut codes);
            work.tell(told, &row);
        }
    }
    if let Some((name, bytes)) = assets {
        let rows = table::read(name, bytes, ASSETS, &ASSETS_NEED, &mut work.findings);
        let mut names = BTreeSet::new();
        for row in rows.unwrap_or_default() {
            let told = work.asset(&row, &mut names);
            work.tell(told, &row);
        }
    }
    let Work { systems, mut findings, .. } = work;
    findings.sort_by_cached_key(Finding::sort_key);
    Imported { objects: systems.into_values().collect(), findings, site_wanted: false }
}

type Key = (String, String);

struct Work<'a> {
    objects: &'a Objects,
    /// What is written, by namespace and name.
    systems: BTreeMap<Key, Value>,
    /// The system of each project code.
    codes: BTreeMap<String, Key>,
    findings: Vec<Finding>,
}

impl Work<'_> {
    fn tell(&mut self, told: Result<(), Reason>, row: &Row) {
        if let Err(reason) = told {
            // Nothing of a secret system is repeated.
            let secret = reason.code == Code::StateSecretRefused;
            let text = if secret { String::new() } else { row.place.text.clone() };
            self.findings.push(Finding::new(reason).at(Place { text, ..row.place.clone() }));
        }
    }

    fn system(&mut self, row: &Row, codes: &mut BTreeSet<String>) -> Result<(), Reason> {
        if SECRET.iter().any(|word| row.get("dataClass").contains(word)) {
            let line = format!("{}:{}", row.place.file, row.place.line);
            return Err(Reason::new(Code::StateSecretRefused).object(line).seen("涉密"));
        }
        let code = needed(row, "projectCode", "YN-2026-0001")?;
        if !codes.insert(code.to_owned()) {
            return Err(wrong(row, "projectCode").wanted("a code that no other row has"));
        }
        let title = needed(row, "displayName", "昆明市政务服务门户")?;
        let tenant = self.tenant(row)?;
        let (namespace, name) = match self.codes.get(code) {
            Some(key) => key.clone(),
            None => self.key(row, &tenant, code)?,
        };
        let mut spec = Map::new();
        spec.insert("displayName".to_owned(), json!(title));
        spec.insert("projectCode".to_owned(), json!(code));
        spec.insert("tenant".to_owned(), json!(tenant));
        let mut put = |key: &str, value: Option<Value>| drop(value.map(|value| spec.insert(key.to_owned(), value)));
        let domain = word(row, "functionDomain", DOMAINS)?;
        let domain = domain.ok_or_else(|| wrong(row, "functionDomain").wanted(choices(DOMAINS)))?;
        put("functionDomain", Some(domain));
        put("dutyKind", word(row, "dutyKind", DUTIES)?);
        put("businessLevel", word(row, "businessLevel", LEVELS)?);
        put("recoveryTimeMinutes", number(row, "recoveryTimeMinutes", 0, 525_600)?);
        put("recoveryPointMinutes", number(row, "recoveryPointMinutes", 0, 525_600)?);
        put("region", self.region(row)?);
        put("dataClass", Some(class(row)?));
        put("hosting", hosting(row)?);
        put("exemption", exemption(row)?);
        put("protection", protection(row)?);
        if let Some(contact) = row.some("contact") {
            let reach = row.some("reach").map(|reach| ("reach".to_owned(), json!(reach)));
            let one: Map<String, Value> = [("name".to_owned(), json!(contact))].into_iter().chain(reach).collect();
            put("contacts", Some(json!([one])));
        }
        self.codes.insert(code.to_owned(), (namespace.clone(), name.clone()));
        let object = self.object(&namespace, &name);
        if let Some(Value::Object(own)) = object.get_mut("spec") {
            own.extend(spec);
        }
        Ok(())
    }

    /// The object that is written, as it is there or new.
    fn object(&mut self, namespace: &str, name: &str) -> &mut Value {
        let key = (namespace.to_owned(), name.to_owned());
        let there = self.objects.systems.get(&key);
        self.systems.entry(key).or_insert_with(|| {
            let new = || {
                json!({
                    "apiVersion": "jiuzhou.dev/v1alpha1", "kind": "InformationSystem",
                    "metadata": { "name": name, "namespace": namespace }, "spec": {},
                })
            };
            let there = there.and_then(|item| serde_json::to_value(&*item.object).ok());
            let mut value = there.unwrap_or_else(new);
            if let Some(object) = value.as_object_mut() {
                object.remove("status");
            }
            value
        })
    }

    fn tenant(&self, row: &Row) -> Result<String, Reason> {
        let text = needed(row, "tenant", "云南省数据局")?;
        let tenants = &self.objects.tenants;
        let is = |item: &&crate::objects::Item<jiuzhou_api::v1alpha1::Tenant>| {
            let spec = &item.object.spec;
            let code = spec.unified_code.as_ref().is_some_and(|code| **code == *text);
            item.document.name == text || *spec.display_name == *text || code
        };
        let mut found = tenants.values().filter(is);
        match (found.next(), found.next()) {
            (Some(item), None) => Ok(item.document.name.clone()),
            // Without any the list stands alone, and the name is the one of an object to come.
            (None, _) if tenants.is_empty() && is_name(text) => Ok(text.to_owned()),
            _ => {
                let near = crate::schema::nearest(text, tenants.values().map(|item| &*item.object.spec.display_name));
                let some = || tenants.values().map(|item| item.object.spec.display_name.to_string()).take(LISTED);
                Err(wrong(row, "tenant").wanted(if near.is_empty() { some().collect() } else { near }))
            }
        }
    }

    /// Namespace and name of a new system: as the row says, else the tenant's namespace for it, else one of its own.
    fn key(&self, row: &Row, tenant: &str, code: &str) -> Result<Key, Reason> {
        let named = |column: &str| match row.some(column) {
            Some(text) if !is_name(text) => Err(wrong(row, column).wanted("kunming-portal")),
            text => Ok(text.map(str::to_owned)),
        };
        let name = named("name")?.unwrap_or_else(|| name_of(code, NAME_MOST));
        let owned = self.objects.tenants.values().find(|item| item.document.name == tenant);
        let owned = owned.map(|item| item.object.spec.namespaces.as_slice()).unwrap_or_default();
        let of_it = owned.iter().find(|one| one.system.as_ref().is_some_and(|system| **system == *name));
        let namespace = match (named("namespace")?, of_it) {
            (Some(namespace), _) => namespace,
            (None, Some(one)) => one.name.to_string(),
            (None, None) => name_of(&format!("{tenant}-{name}"), NAME_MOST),
        };
        let key = (namespace, name);
        if self.objects.systems.contains_key(&key) || self.systems.contains_key(&key) {
            return Err(wrong(row, "name").seen(key.1).wanted("a name that no other system of the namespace has"));
        }
        Ok(key)
    }

    fn region(&self, row: &Row) -> Result<Option<Value>, Reason> {
        let digits = |text: &str| text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
        match row.some("region") {
            Some(text) if !digits(text) => Err(wrong(row, "region").wanted("530100")),
            text => Ok(text.map(|text| json!(text))),
        }
    }

    fn asset(&mut self, row: &Row, names: &mut BTreeSet<(Key, String)>) -> Result<(), Reason> {
        let text = needed(row, "system", "YN-2026-0001")?;
        let full = text.split_once('/').map(|(namespace, name)| (namespace.to_owned(), name.to_owned()));
        let full = full.filter(|key| self.systems.contains_key(key) || self.objects.systems.contains_key(key));
        let Some(key) = self.codes.get(text).cloned().or(full) else {
            let near = crate::schema::nearest(text, self.codes.keys().map(String::as_str));
            let some = || self.codes.keys().take(LISTED).cloned().collect();
            return Err(wrong(row, "system").wanted(if near.is_empty() { some() } else { near }));
        };
        let name = name_of(needed(row, "name", "portal-db-1")?, NAME_MOST);
        if !names.insert((key.clone(), name.clone())) {
            return Err(wrong(row, "name").wanted("a name that no other asset of the system has"));
        }
        let mut asset = Map::new();
        asset.insert("name".to_owned(), json!(name));
        let kind = word(row, "kind", KINDS)?.ok_or_else(|| wrong(row, "kind").wanted(choices(KINDS)))?;
        let mut put = |key: &str, value: Option<Value>| drop(value.map(|value| asset.insert(key.to_owned(), value)));
        put("kind", Some(kind));
        put("product", row.some("product").map(|text| json!(text)));
        put("cpus", number(row, "cpus", 0, 1_000_000)?);
        put("memoryGib", number(row, "memoryGib", 0, 10_000_000)?);
        put("brand", word(row, "brand", BRANDS)?);
        put("os", row.some("os").map(|text| json!(text)));
        for column in ["cloud", "platform", "site"] {
            if row.some(column).is_some_and(|text| !is_name(&text.replace('.', "-"))) {
                return Err(wrong(row, column).wanted("kunpeng-920"));
            }
            put(column, row.some(column).map(|text| json!(text)));
        }
        let (since, until) = (date(row, "since")?, date(row, "until")?);
        if since.as_ref().zip(until.as_ref()).is_some_and(|(since, until)| until.as_str() < since.as_str()) {
            return Err(wrong(row, "until").wanted(row.get("since")));
        }
        put("since", since);
        put("until", until);
        put("code", row.some("code").map(|text| json!(text)));
        let object = self.object(&key.0, &key.1);
        let spec = object.get_mut("spec").and_then(Value::as_object_mut);
        let Some(spec) = spec else { return Ok(()) };
        if let Some(all) = spec.entry("assets").or_insert_with(|| json!([])).as_array_mut() {
            all.retain(|other| other.get("name") != Some(&json!(name)));
            all.push(Value::Object(asset));
        }
        Ok(())
    }
}

/// Class of the data, who set it and who confirmed it.
fn class(row: &Row) -> Result<Value, Reason> {
    let class = word(row, "dataClass", CLASSES)?.ok_or_else(|| wrong(row, "dataClass").wanted(choices(CLASSES)))?;
    let mut value = json!({ "class": class, "setBy": needed(row, "setBy", "业务主管科室")? });
    let personal = word(row, "personal", YES)?.map(|word| json!(word == "true"));
    let confirmed = row.some("confirmedBy").map(|text| json!(text));
    let more = [
        ("personal", personal),
        ("setOn", date(row, "setOn")?),
        ("confirmedBy", confirmed),
        ("confirmedOn", date(row, "confirmedOn")?),
    ];
    extend(&mut value, more);
    Ok(value)
}

fn hosting(row: &Row) -> Result<Option<Value>, Reason> {
    let Some(state) = word(row, "hosting", HOSTING)? else { return Ok(None) };
    let mut value = json!({ "state": state });
    let (text, number) = (|column| row.some(column).map(|text| json!(text)), |text: Value| json!({ "number": text }));
    let more = [
        ("since", date(row, "since")?),
        ("evidence", text("evidence").map(number)),
        ("declaredBy", text("declaredBy")),
        ("verifiedBy", text("verifiedBy")),
        ("verifiedOn", date(row, "verifiedOn")?),
    ];
    extend(&mut value, more);
    Ok(Some(value))
}

/// An exemption needs its document and its end; one without the other is a mistake.
fn exemption(row: &Row) -> Result<Option<Value>, Reason> {
    match (row.some("exemption"), date(row, "exemptUntil")?) {
        (None, None) => Ok(None),
        (Some(number), Some(until)) => Ok(Some(json!({ "document": { "number": number }, "until": until }))),
        (Some(_), None) => Err(wrong(row, "exemptUntil").wanted("2027-06-30")),
        (None, Some(_)) => Err(wrong(row, "exemption").wanted("云数豁〔2026〕3号")),
    }
}

fn protection(row: &Row) -> Result<Option<Value>, Reason> {
    const CHINESE: Words = &[
        ("1", &["一", "一级", "1级", "第一级"]),
        ("2", &["二", "二级", "2级", "第二级"]),
        ("3", &["三", "三级", "3级", "第三级"]),
        ("4", &["四", "四级", "4级", "第四级"]),
        ("5", &["五", "五级", "5级", "第五级"]),
    ];
    let level = word(row, "protectionLevel", CHINESE)?;
    let Some(level) = level.as_ref().and_then(Value::as_str).and_then(|level| level.parse::<i32>().ok()) else {
        return Ok(None);
    };
    let mut value = json!({ "level": level });
    extend(&mut value, [("filingNumber", row.some("filingNumber").map(|text| json!(text)))]);
    Ok(Some(value))
}

fn extend<const N: usize>(value: &mut Value, more: [(&str, Option<Value>); N]) {
    if let Some(object) = value.as_object_mut() {
        object.extend(more.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    }
}

fn needed<'r>(row: &'r Row, column: &str, like: &str) -> Result<&'r str, Reason> {
    row.some(column).ok_or_else(|| wrong(row, column).wanted(like))
}

/// The token a cell stands for; `None` when it is empty.
fn word(row: &Row, column: &str, words: Words) -> Result<Option<Value>, Reason> {
    let Some(text) = row.some(column) else { return Ok(None) };
    let is = |word: &str| word.eq_ignore_ascii_case(text);
    let found = words.iter().find(|(token, others)| is(token) || others.iter().any(|other| is(other)));
    let found = found.ok_or_else(|| wrong(row, column).wanted(choices(words)))?;
    Ok(Some(json!(found.0)))
}

fn choices(words: Words) -> Vec<String> {
    words.iter().map(|(token, others)| format!("{} ({token})", others.first().copied().unwrap_or_default())).collect()
}

fn number(row: &Row, column: &str, least: i64, most: i64) -> Result<Option<Value>, Reason> {
    let Some(text) = row.some(column) else { return Ok(None) };
    let number = text.parse::<i64>().ok().filter(|number| (least..=most).contains(number));
    number.map(|number| Some(json!(number))).ok_or_else(|| wrong(row, column).wanted("16"))
}

/// A day, as 2026-06-01, 2026/6/1 or 2026年6月1日.
fn date(row: &Row, column: &str) -> Result<Option<Value>, Reason> {
    let Some(text) = row.some(column) else { return Ok(None) };
    let parts: Vec<&str> = text.trim_end_matches('日').split(['-', '/', '年', '月', '.']).collect();
    let day = match parts.as_slice() {
        [year, month, day] if year.len() == 4 => {
            let parsed = (year.parse::<i16>(), month.parse::<i8>(), day.parse::<i8>());
            if let (Ok(year), Ok(month), Ok(day)) = parsed { Date::new(year, month, day).ok() } else { None }
        }
        _ => None,
    };
    day.map(|day| Some(json!(day.to_string()))).ok_or_else(|| wrong(row, column).wanted("2026-06-01"))
}

fn is_name(text: &str) -> bool {
    name_of(text, NAME_MOST) == text
}

#[cfg(test)]
#[path = "register_tests.rs"]
mod tests;
