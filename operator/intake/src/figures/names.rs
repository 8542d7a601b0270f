//! What people call the objects and places of a report, the document behind an entry, and findings with their places.

use jiuzhou_engine::terms::{Code, Finding, ObjectRef, Severity};
use jiuzhou_measure::LeftOut;

use crate::builtin::region_name;
use crate::objects::{Objects, named};

/// The name of an object for people; `None` when it has none but its own.
#[must_use]
pub fn title(objects: &Objects, object: &ObjectRef) -> Option<String> {
    let key = (object.namespace.clone(), object.name.clone());
    Some(match object.kind.as_str() {
        "InformationSystem" => objects.systems.get(&key)?.object.spec.display_name.to_string(),
        "Tenant" => named(&objects.tenants, &object.name)?.object.spec.display_name.to_string(),
        "Site" => named(&objects.sites, &object.name)?.object.spec.display_name.to_string(),
        "MemberCluster" => named(&objects.clusters, &object.name)?.object.spec.display_name.as_ref()?.to_string(),
        "CpuPlatform" => named(&objects.platforms, &object.name)?.object.spec.display_name.to_string(),
        _ => return None,
    })
}

/// The document a register entry leans on for what a code says of it: the exemption, or the proof of its move.
#[must_use]
pub fn document(objects: &Objects, object: &ObjectRef, code: Code) -> Option<String> {
    let spec = &objects.systems.get(&(object.namespace.clone(), object.name.clone()))?.object.spec;
    let document = match code {
        Code::EntryExempt | Code::ExemptionInvalid => spec.exemption.as_ref().map(|exemption| &exemption.document),
        _ => spec.hosting.evidence.as_ref(),
    };
    document.map(|document| document.number.to_string())
}

/// Name of a division of GB/T 2260. The groups that have no seat of their own are called as the standard calls them.
#[must_use]
pub fn division(code: &str) -> Option<&'static str> {
    region_name(code).or_else(|| match (code.get(..2)?, code.get(2..)?) {
        ("11" | "12" | "31" | "50", "0100") => Some("市辖区"),
        ("50", "0200") => Some("县"),
        ("65", "9000") => Some("自治区直辖县级行政区划"),
        (_, "9000") => Some("省直辖县级行政区划"),
        _ => None,
    })
}

/// What is missing or wrong, each once, as findings at the place of the object. What explains why an entry of the register
/// did not count (retired, exempt, hosted, not Ready, CPU unknown) stays in the tables, which have its place, too.
#[must_use]
pub fn findings<'a>(objects: &Objects, notes: impl IntoIterator<Item = &'a LeftOut>) -> Vec<Finding> {
    let mut notes: Vec<&LeftOut> = notes.into_iter().filter(|note| missing(note.reason.code)).collect();
    notes.sort_unstable();
    notes.dedup();
    notes
        .into_iter()
        .map(|note| {
            let finding = Finding::new(note.reason.clone()).on(note.subject.clone());
            match pointer(objects, note) {
                Some((pointer, place)) => finding.pointer(pointer).at(place),
                None => finding,
            }
        })
        .collect()
}

fn missing(code: Code) -> bool {
    let explained = matches!(code, Code::LiftUnverified | Code::NotReadyLongEnough | Code::ProjectCodeAbsent);
    (code.severity() > Severity::Info && !explained)
        || matches!(
            code,
            Code::BillMissing
                | Code::FactorFallback
                | Code::MeterMissing
                | Code::PowerUnknown
                | Code::PueMissing
                | Code::PueNotMeasured
                | Code::PuePeriodDiffers
        )
}

/// The field a note is about, and where it stands (or the nearest thing above it that does).
fn pointer(objects: &Objects, note: &LeftOut) -> Option<(String, jiuzhou_engine::terms::Place)> {
    let subject = &note.subject;
    let key = (subject.namespace.clone(), subject.name.clone());
    let document = match subject.kind.as_str() {
        "InformationSystem" => &objects.systems.get(&key)?.document,
        "Tenant" => &objects.tenants.get(&key)?.document,
        "Site" => &objects.sites.get(&key)?.document,
        "MemberCluster" => &objects.clusters.get(&key)?.document,
        "FleetWorkload" => &objects.workloads.get(&key)?.document,
        _ => return None,
    };
    let pointer = match note.reason.code {
        Code::BillDiffers | Code::BillMissing => "/spec/bills",
        Code::MeterDiffers | Code::MeterMissing | Code::ItEnergyUnknown | Code::ReadingInvalid => "/spec/meterReadings",
        Code::PueAboveLimit | Code::PueBelowOne | Code::PueMissing => "/spec/pue",
        Code::PueNotMeasured | Code::PuePeriodDiffers => "/spec/pue",
        Code::WaterAboveLimit => "/spec/water",
        Code::FactorFallback => "/spec/gridFactors",
        Code::CertificateExpired
        | Code::CertificateInvalid
        | Code::CertificateNotRetired
        | Code::CertificateNotTradable
        | Code::CertificateUsedTwice => {
            // Of several the one it is about.
            let all = objects.sites.get(&key).map(|item| item.object.spec.certificates.as_slice()).unwrap_or_default();
            let at = all.iter().position(|one| text(&note.reason.object) == Some(&*one.id));
            let pointer = at.map_or_else(|| "/spec/certificates".to_owned(), |at| format!("/spec/certificates/{at}"));
            let place = document.place(&pointer);
            return Some((pointer, place));
        }
        Code::RenewableBelowLimit => "/spec/certificates",
        Code::PowerUnknown => "/spec/poolFacts",
        Code::ExemptionInvalid => "/spec/exemption",
        Code::ProjectCodeRepeated => "/spec/projectCode",
        _ => "/metadata/name",
    };
    Some((pointer.to_owned(), document.place(pointer)))
}

fn text(value: &jiuzhou_engine::terms::Value) -> Option<&str> {
    if let jiuzhou_engine::terms::Value::Text(text) = value { Some(text) } else { None }
}
