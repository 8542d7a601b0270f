//! Whom the energy of a report goes to: the tables of tenants and of CPU platforms.

use jiuzhou_engine::terms::{MilliwattHours, ObjectRef};
use jiuzhou_measure::energy::Account;

use super::adoption::Lookup;
use crate::document::{Cell, Chart, ChartForm, Column, Section};
use crate::words::Word;

/// Tenants, what belongs to nobody, what is free and what is outside: together all the IT energy that is known. Rooms
/// whose energy is unknown stand below, because their tenants are charged with too little.
pub(super) fn tenants(account: &Account, lookup: &dyn Lookup) -> Section {
    let columns = vec![
        Column::text("tenant", Word::Tenant),
        Column::figure("activeEnergy", Word::ActiveEnergy),
        Column::figure("idleEnergy", Word::IdleEnergy),
        Column::figure("total", Word::Total),
        Column::figure("emissions", Word::LocationBased),
    ];
    let chart = Chart { form: ChartForm::Bars, label: 0, part: None, value: 3 };
    let mut section = Section::new(Word::SectionTenants, columns).drawn(chart);
    let mut row = |name: Cell, active: MilliwattHours, idle: MilliwattHours, emissions: Cell| {
        section.row(vec![name, active.into(), idle.into(), Cell::known(active.checked_add(idle)), emissions]);
    };
    for (tenant, share) in &account.tenants {
        let name = || lookup.title(&ObjectRef::new("Tenant", "", tenant)).unwrap_or_else(|| tenant.clone());
        let name = if tenant.is_empty() { Cell::Unknown } else { name().into() };
        row(name, share.active, share.idle, Cell::known(account.emissions_of(tenant)));
    }
    if account.only.is_some() {
        return section;
    }
    // Where no room is known these two are not zero, they are unknown: the row below says it.
    if account.sites.iter().any(|site| site.it.is_some()) || account.sites.is_empty() {
        row(Word::SystemEnergy.into(), account.system, MilliwattHours::ZERO, Cell::NotApplicable);
        row(Word::Unallocated.into(), MilliwattHours::ZERO, account.unallocated, Cell::NotApplicable);
    }
    if account.outside.0 > 0 {
        section.row(vec![Word::Outside.into(), Cell::Unknown, Cell::Unknown, account.outside.into()]);
    }
    if !account.uncharged.is_empty() {
        section.row(vec![Word::NotCharged.into()]);
    }
    section
}

/// IT energy by CPU platform.
pub(super) fn platforms(account: &Account, lookup: &dyn Lookup) -> Section {
    let columns = vec![Column::text("cpuPlatform", Word::Platform), Column::figure("energy", Word::EnergyIt)];
    let chart = Chart { form: ChartForm::Bars, label: 0, part: None, value: 1 };
    let mut section = Section::new(Word::SectionByPlatform, columns).drawn(chart);
    for (platform, energy) in &account.platforms {
        let name = (!platform.is_empty()).then(|| {
            let object = ObjectRef::new("CpuPlatform", "", platform);
            Cell::Catalogued(lookup.title(&object).unwrap_or_else(|| platform.clone()))
        });
        section.row(vec![Cell::known(name), (*energy).into()]);
    }
    section
}
