//! What sovereignty is counted from: who holds the CPU of which system, and how systems stand in 等保 and 密评.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_measure::sovereignty::{Graded, Held};

use super::bodies::Bodies;
use super::expiry::newest;
use super::{Proof, Scene, register, today};

/// The inputs, in order of the register.
#[derive(Clone, Debug, Default)]
pub struct Dependence {
    /// CPU on the cloud by brand.
    pub brands: Vec<Held>,
    /// CPU on the cloud by provider.
    pub providers: Vec<Held>,
    /// Systems in service by body as it is called on the day: 等保, then 密评.
    pub systems: BTreeMap<String, Vec<(Graded, Graded)>>,
}

/// Reads them as of an instant.
#[must_use]
pub fn dependence(scene: &Scene<'_>, as_of: Timestamp) -> Dependence {
    let mut result = Dependence::default();
    for entry in register(scene, as_of).entries {
        for place in entry.footprint.iter().filter(|place| place.on_cloud && place.millicores > 0) {
            let held =
                |by: &str| Held { by: by.to_owned(), system: entry.reference.clone(), millicores: place.millicores };
            result.brands.push(held(&place.brand));
            result.providers.push(held(&place.provider));
        }
    }
    let names = Bodies::on(scene.objects, today(as_of));
    for item in scene.objects.systems.values() {
        let spec = &item.object.spec;
        if spec.hosting.state == api::HostingState::Retired {
            continue;
        }
        let subject = item.document.object_ref();
        let graded = |proof, scheme: Option<&api::Protection>| Graded {
            level: scheme.map(|scheme| i64::from(scheme.level)),
            until: newest(&subject, proof, scheme, as_of).map(|one| -> Date { one.last_day() }),
        };
        let both = (
            graded(Proof::Protection, spec.protection.as_ref()),
            graded(Proof::Cryptography, spec.cryptography.as_ref()),
        );
        result.systems.entry(names.now(&spec.tenant)).or_default().push(both);
    }
    result
}
