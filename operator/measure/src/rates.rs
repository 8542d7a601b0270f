//! What a unit of a cluster draws, emits and costs: for plans, where nothing was used yet and nothing can be metered.
//!
//! A share of a cluster is charged the average power of its nodes for the cpu it requests, at the use that is assumed
//! where none is known, times PUE and the factor of the place; and the cluster's prices for cpu and memory. A figure
//! whose parts are not all known is not known. These are estimates for comparing two plans; an account of what was used
//! is [`crate::energy`]'s.

use jiuzhou_engine::terms::{Fen, Milligrams, MilliwattHours, Milliwatts, PerMille};
use serde::Serialize;

use crate::cost::MicroFen;
use crate::energy::{Amounts, PoolPower};
use crate::{MeasureError, mul_div_round};

const WHAT: &str = "an estimate of a plan";

/// Bytes of a GiB.
const GIB: i128 = 1 << 30;

/// What the nodes of a pool draw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolRates {
    /// Name.
    pub pool: String,
    /// Nodes.
    pub nodes: i64,
    /// Millicores of all nodes.
    pub millicores: i64,
    /// Power of one node; `None` when nothing is known of it.
    pub power: Option<PoolPower>,
    /// Price of one node for a month.
    pub node_month: Option<MicroFen>,
}

/// What a cluster draws, emits and costs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterRates {
    /// Price of one cpu for an hour; the dearest of its platforms.
    pub cpu_hour: Option<MicroFen>,
    /// Price of one GiB of memory for an hour.
    pub gib_hour: Option<MicroFen>,
    /// Price of one kWh.
    pub kwh: Option<MicroFen>,
    /// Measured PUE of its room.
    pub pue: Option<PerMille>,
    /// Milligrams of CO2 per kWh of its grid.
    pub mg_per_kwh: Option<i64>,
    /// Its pools.
    pub pools: Vec<PoolRates>,
}

/// What was asked for, for as long as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Millicores times minutes.
    pub millicore_minutes: i128,
    /// Bytes of memory times minutes.
    pub byte_minutes: i128,
}

/// An estimate; what is not known is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Estimate {
    /// Energy of the room (IT energy times PUE).
    pub energy: Option<MilliwattHours>,
    /// Emissions of that energy.
    pub carbon: Option<Milligrams>,
    /// Price.
    pub cost: Option<Fen>,
}

impl Estimate {
    /// Nothing at all, which is known.
    pub const NOTHING: Self = Self { energy: Some(MilliwattHours(0)), carbon: Some(Milligrams(0)), cost: Some(Fen(0)) };
}

impl ClusterRates {
    /// What requests draw, emit and cost over some hours at a use in thousandths.
    ///
    /// # Errors
    /// [`MeasureError`] for negative values or products out of range.
    pub fn share(&self, asked: Amounts, utilisation: PerMille, hours: i64) -> Result<Estimate, MeasureError> {
        let minutes = i128::from(hours) * 60;
        let of = |amount: i64| i128::from(amount).checked_mul(minutes).ok_or(MeasureError::OutOfRange(WHAT));
        self.spent(Spent { millicore_minutes: of(asked.cpu)?, byte_minutes: of(asked.memory)? }, utilisation)
    }

    /// What requests that came and went draw, emit and cost at a use in thousandths. Each figure is rounded once for the
    /// one before it, so that sums over clusters and days are sums of what is told of each.
    ///
    /// # Errors
    /// As [`Self::share`].
    pub fn spent(&self, asked: Spent, utilisation: PerMille) -> Result<Estimate, MeasureError> {
        let Spent { millicore_minutes, byte_minutes } = asked;
        let out = MeasureError::OutOfRange(WHAT);
        if millicore_minutes < 0 || byte_minutes < 0 {
            return Err(out);
        }
        let energy = match self.milliwatts_per_cpu(utilisation)? {
            Some(power) => {
                let product = millicore_minutes.checked_mul(i128::from(power.0)).ok_or_else(|| out.clone())?;
                // Thousandths of a cpu, minutes of an hour.
                let it = i64::try_from((product + 30_000) / 60_000).map_err(|_| out.clone())?;
                self.facility(it)?
            }
            None => None,
        };
        let cost = match (self.cpu_hour, self.gib_hour) {
            (Some(cpu), Some(gib)) => {
                let cpu = priced(cpu, millicore_minutes, 60_000, 1)?;
                let memory = priced(gib, byte_minutes, GIB * 60, 1)?;
                Some(fen(cpu.checked_add(memory).ok_or(out)?)?)
            }
            _ => None,
        };
        Ok(Estimate { energy, carbon: self.emitted(energy)?, cost })
    }

    /// What some idle nodes of a pool draw, emit and cost over some hours of a month of `month_hours`: what switching
    /// them off saves. Nodes are priced by the month where the book does, else their energy is.
    ///
    /// # Errors
    /// As [`Self::share`].
    pub fn idle_nodes(&self, pool: &str, nodes: i64, hours: i64, month_hours: i64) -> Result<Estimate, MeasureError> {
        let Some(pool) = self.pools.iter().find(|own| own.pool == pool) else { return Ok(Estimate::default()) };
        let energy = match &pool.power {
            Some(power) => self.facility(mul_div_round(power.line.idle.0, scaled(nodes, hours)?, 1, WHAT)?)?,
            None => None,
        };
        let by_node = match pool.node_month {
            Some(price) => Some(fen(priced(price, i128::from(nodes), i128::from(month_hours.max(1)), hours)?)?),
            None => None,
        };
        let by_energy = match (energy, self.kwh) {
            (Some(energy), Some(price)) => Some(fen(priced(price, i128::from(energy.0), 1_000_000, 1)?)?),
            _ => None,
        };
        Ok(Estimate { energy, carbon: self.emitted(energy)?, cost: by_node.or(by_energy) })
    }

    /// Average power of a cpu over the pools; `None` when a pool's is not known.
    fn milliwatts_per_cpu(&self, utilisation: PerMille) -> Result<Option<Milliwatts>, MeasureError> {
        let (mut power, mut millicores) = (0_i64, 0_i64);
        for pool in &self.pools {
            let Some(own) = &pool.power else { return Ok(None) };
            let all = own.line.at(utilisation)?.0.checked_mul(pool.nodes);
            power = all.and_then(|all| power.checked_add(all)).ok_or(MeasureError::OutOfRange(WHAT))?;
            millicores = millicores.checked_add(pool.millicores).ok_or(MeasureError::OutOfRange(WHAT))?;
        }
        if millicores <= 0 {
            return Ok(None);
        }
        mul_div_round(power, 1000, i128::from(millicores), WHAT).map(|each| Some(Milliwatts(each)))
    }

    fn facility(&self, it: i64) -> Result<Option<MilliwattHours>, MeasureError> {
        let Some(pue) = self.pue else { return Ok(None) };
        mul_div_round(it, pue.0, 1000, WHAT).map(|energy| Some(MilliwattHours(energy)))
    }

    fn emitted(&self, energy: Option<MilliwattHours>) -> Result<Option<Milligrams>, MeasureError> {
        let (Some(energy), Some(factor)) = (energy, self.mg_per_kwh) else { return Ok(None) };
        mul_div_round(energy.0, factor, 1_000_000, WHAT).map(|mass| Some(Milligrams(mass)))
    }
}

fn scaled(amount: i64, hours: i64) -> Result<i64, MeasureError> {
    amount.checked_mul(hours).filter(|product| *product >= 0).ok_or(MeasureError::OutOfRange(WHAT))
}

/// Millionths of a fen for an amount in parts of the priced unit over some hours, rounded down to a millionth.
fn priced(price: MicroFen, amount: i128, parts: i128, hours: i64) -> Result<i128, MeasureError> {
    if price.0 < 0 || amount < 0 || hours < 0 {
        return Err(MeasureError::OutOfRange(WHAT));
    }
    let product = i128::from(price.0).checked_mul(amount).and_then(|all| all.checked_mul(i128::from(hours)));
    product.map(|all| all / parts).ok_or(MeasureError::OutOfRange(WHAT))
}

/// Whole fen, half up.
fn fen(micro: i128) -> Result<Fen, MeasureError> {
    i64::try_from((micro + 500_000) / 1_000_000).map(Fen).map_err(|_| MeasureError::OutOfRange(WHAT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::energy::{LinearPower, Provenance};

    fn rates() -> ClusterRates {
        let line = LinearPower { idle: Milliwatts(100_000), peak: Milliwatts(300_000) };
        let power = Some(PoolPower { line, provenance: Provenance::Modelled });
        ClusterRates {
            cpu_hour: Some(MicroFen(8_000_000)),
            gib_hour: Some(MicroFen(2_100_000)),
            kwh: Some(MicroFen(60_000_000)),
            pue: Some(PerMille(1250)),
            mg_per_kwh: Some(536_600),
            pools: vec![PoolRates { pool: "a".to_owned(), nodes: 10, millicores: 640_000, power, node_month: None }],
        }
    }

    #[test]
    fn a_share_is_charged_power_price_and_emissions_of_what_it_asks_for() {
        // 200 W for 64 cpu at half use: 3.125 W each; 4 cpu for 720 h is 9 kWh, times 1.25 is 11.25 kWh.
        let asked = Amounts { cpu: 4000, memory: 8 << 30 };
        let share = rates().share(asked, PerMille(500), 720).unwrap();
        assert_eq!(share.energy, Some(MilliwattHours(11_250_000)));
        assert_eq!(share.carbon, Some(Milligrams(6_036_750)));
        // 4 x 8 fen x 720 + 8 x 2.1 fen x 720.
        assert_eq!(share.cost, Some(Fen(23_040 + 12_096)));
    }

    #[test]
    fn what_came_and_went_costs_what_a_share_of_the_same_length_does() {
        let half = Spent { millicore_minutes: 4000 * 60 * 360, byte_minutes: (8_i128 << 30) * 60 * 360 };
        let asked = Amounts { cpu: 4000, memory: 8 << 30 };
        assert_eq!(rates().spent(half, PerMille(500)), rates().share(asked, PerMille(500), 360));
        // One minute of one cpu: 3.125 W / 60, times 1.25, is 65 mWh; 8 fen / 60 is nothing yet.
        let minute = rates().spent(Spent { millicore_minutes: 1000, byte_minutes: 0 }, PerMille(500)).unwrap();
        assert_eq!((minute.energy, minute.cost), (Some(MilliwattHours(65)), Some(Fen(0))));
        assert!(rates().spent(Spent { millicore_minutes: -1, byte_minutes: 0 }, PerMille(500)).is_err());
    }

    #[test]
    fn what_is_not_known_makes_no_figure() {
        let unknown = ClusterRates { pue: None, gib_hour: None, ..rates() };
        let share = unknown.share(Amounts { cpu: 1000, memory: 0 }, PerMille(500), 1).unwrap();
        assert_eq!(share, Estimate::default());
    }

    #[test]
    fn an_idle_node_saves_its_idle_energy_and_what_that_costs() {
        // 100 W idle for 720 h is 72 kWh, times 1.25 is 90 kWh for 60 fen each.
        let saved = rates().idle_nodes("a", 1, 720, 720).unwrap();
        assert_eq!((saved.energy, saved.cost), (Some(MilliwattHours(90_000_000)), Some(Fen(5400))));
        assert_eq!(rates().idle_nodes("b", 1, 720, 720).unwrap(), Estimate::default());
    }
}
