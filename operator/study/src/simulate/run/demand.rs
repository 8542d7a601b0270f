//! What is asked for: workloads that come and go, by chance or with the files, and replicas that follow the hour.

use jiuzhou_engine::decide::{self, Spec, WorkloadKey};

use super::Run;
use crate::simulate::copies::Spread;
use crate::simulate::dice::Dice;
use crate::simulate::live::Live;
use crate::simulate::model::{DAY, HOUR, Stay, Traits};
use crate::simulate::queue::Event;

/// A stream of arrivals.
#[derive(Debug)]
pub(super) struct Stream {
    gaps: Dice,
    stays: Dice,
    /// Seconds of the next.
    next: i64,
    count: u64,
}
impl Run<'_> {
    /// A workload is there.
    pub(super) fn enter(&mut self, spec: Spec, spread: Spread, (traits, curve): (Traits, Option<usize>), now: i64) {
        let tenant = self.ledger.tenants.number(&spec.requirement.tenant);
        let tier = self.tier_of(&spec);
        let mut live = Live::new(spec, traits, spread, tier, tenant, now);
        live.curve = curve;
        live.wanted = self.wanted(&live, now);
        live.changed |= live.wanted != live.base.replicas;
        let links = &self.links;
        live.count(now, |cluster| links.of(cluster), &mut self.flow, &mut self.ledger);
        self.touched.insert(live.base.key.clone());
        self.lives.insert(live.base.key.clone(), live);
    }

    pub(super) fn tier_of(&self, spec: &Spec) -> String {
        decide::demanded_tier(&self.snapshot, &spec.requirement).map(|tier| tier.name.clone()).unwrap_or_default()
    }

    pub(super) fn curve_of(&self, spec: &Spec) -> Option<usize> {
        let curves = self.simulation.curves.iter().enumerate().filter(|(_, curve)| curve.chosen.takes(spec));
        curves.min_by(|(_, a), (_, b)| a.name.cmp(&b.name)).map(|(number, _)| number)
    }

    /// Replicas that are wanted of a workload at a minute.
    pub(super) fn wanted(&self, live: &Live, now: i64) -> i64 {
        let Some(curve) = live.curve.and_then(|number| self.simulation.curves.get(number)) else {
            return live.base.replicas;
        };
        let day = u32::try_from(now.div_euclid(DAY)).unwrap_or(0);
        let rests = self.simulation.rest_days.contains(&day);
        let hour = usize::try_from(now.rem_euclid(DAY) / HOUR).unwrap_or(0);
        let by_hour = if rests { &curve.rest_day } else { &curve.workday };
        let percent = i128::from(by_hour.get(hour).copied().unwrap_or(100));
        let replicas = (i128::from(live.base.replicas) * percent + 99).div_euclid(100);
        i64::try_from(replicas).unwrap_or(i64::MAX).max(curve.least.min(live.base.replicas))
    }

    pub(super) fn follow_curves(&mut self, now: i64) {
        self.queue.push(now + HOUR - now.rem_euclid(HOUR), Event::Hour);
        let followers = self.lives.iter().filter(|(_, live)| live.curve.is_some());
        let changed: Vec<(WorkloadKey, i64)> = followers
            .map(|(key, live)| (key, live.wanted, self.wanted(live, now)))
            .filter(|(_, before, wanted)| before != wanted)
            .map(|(key, _, wanted)| (key.clone(), wanted))
            .collect();
        for (key, wanted) in changed {
            self.asked = true;
            if let Some(live) = self.lives.get_mut(&key) {
                (live.wanted, live.changed) = (wanted, true);
                let links = &self.links;
                live.count(now, |cluster| links.of(cluster), &mut self.flow, &mut self.ledger);
                self.changed.insert(key);
            }
        }
    }

    pub(super) fn begin_stream(&mut self, number: usize) {
        let Some(arrivals) = self.arrivals.get(number) else { return };
        let seed = self.simulation.seed;
        let stream = Stream {
            gaps: Dice::new(seed, &["arrivals", &arrivals.name]),
            stays: Dice::new(seed, &["stays", &arrivals.name]),
            next: 0,
            count: 0,
        };
        self.streams.push(stream);
        self.await_next(number);
    }

    fn await_next(&mut self, number: usize) {
        let (Some(arrivals), Some(stream)) = (self.arrivals.get(number), self.streams.get_mut(number)) else { return };
        // In seconds, so that short gaps are not rounded away.
        stream.next = stream.next.saturating_add(stream.gaps.exponential(arrivals.every.max(1).saturating_mul(60)));
        self.queue.push(stream.next / 60, Event::Arrive(number));
    }

    /// The next workload of a stream; all of them where several come in one minute.
    pub(super) fn arrive(&mut self, number: usize, now: i64) {
        while self.streams.get(number).is_some_and(|stream| stream.next / 60 == now) {
            self.arrive_one(number, now);
            self.await_next(number);
        }
    }

    fn arrive_one(&mut self, number: usize, now: i64) {
        let (Some(arrivals), Some(stream)) = (self.arrivals.get(number), self.streams.get_mut(number)) else { return };
        stream.count += 1;
        let stay = match arrivals.stay {
            Stay::Forever => None,
            Stay::Between(from, until) => Some(stream.stays.between(from, until)),
            Stay::Exponential(mean) => Some(stream.stays.exponential(mean)),
        };
        let Some(like) = self.lives.get(&arrivals.template) else { return };
        // A name that Kubernetes does not allow is nobody else's.
        let name = format!("{}+{}-{}", arrivals.template.name, arrivals.name, stream.count);
        let key = WorkloadKey { namespace: arrivals.template.namespace.clone(), name };
        self.admitted += 1;
        // It is a workload of its own: it need not stand where its template does.
        let spec = Spec {
            key: key.clone(),
            admitted: self.admitted,
            changed: true,
            colocate: None,
            data_on: None,
            stale: std::collections::BTreeMap::new(),
            ..like.base.clone()
        };
        let conduct = (like.traits, like.curve);
        self.enter(spec, Spread::default(), conduct, now);
        self.activity.arrived += 1;
        self.asked = true;
        if let Some(stay) = stay {
            self.queue.push(now + stay.max(1), Event::Depart(key));
        }
    }

    pub(super) fn depart(&mut self, key: &WorkloadKey, now: i64) {
        let Some(live) = self.lives.remove(key) else { return };
        let ended = live.end(now, &mut self.flow, &mut self.ledger);
        self.keep(ended);
        self.snapshot.remove_spec(key);
        self.touched.remove(key);
        self.changed.remove(key);
        self.troubled.remove(key);
        self.failing.remove(key);
        self.activity.departed += 1;
        self.asked |= !self.troubled.is_empty();
    }
}
