//! Every metric by name: what it counts, in which unit, with which labels. The one place where names are written.
//!
//! Rules (Prometheus' naming page): one prefix, base units with a plural suffix, `_total` on counters, ratios from 0,
//! no ratio that two gauges can give, sums over all labels make sense, labels from closed or administered lists only
//! (no workload, pod or user).

/// What kind of series a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows; starts again at zero with a restart, or with a new period where it says so.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How often values fell into buckets.
    Histogram,
    /// Always 1; the labels are the value.
    Info,
}

impl Kind {
    /// As the text format spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Info => "info",
        }
    }
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Name without the suffix that the kind adds (`_total`, `_info`, `_bucket`).
    pub base: &'static str,
    /// Kind.
    pub kind: Kind,
    /// Labels in the order they are written.
    pub labels: &'static [&'static str],
    /// What it says, in English.
    pub en: &'static str,
    /// What it says, in Chinese.
    pub zh: &'static str,
}

impl Metric {
    /// The name a query uses.
    #[must_use]
    pub fn name(&self) -> String {
        let suffix = match self.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => "",
        };
        format!("{}{suffix}", self.base)
    }

    /// Every name of a series that a scrape shows for it.
    #[must_use]
    pub fn series(&self) -> Vec<String> {
        match self.kind {
            Kind::Histogram => ["_bucket", "_sum", "_count"].map(|suffix| format!("{}{suffix}", self.base)).into(),
            Kind::Counter | Kind::Gauge | Kind::Info => vec![self.name()],
        }
    }
}

macro_rules! metrics {
    ($($(#[$doc:meta])* $id:ident = $kind:ident $base:literal [$($label:literal)*] $en:literal $zh:literal;)*) => {
        $($(#[$doc])* pub(crate) const $id: Metric =
            Metric { base: $base, kind: Kind::$kind, labels: &[$($label),*], en: $en, zh: $zh };)*

        /// All of them, in the order of a scrape.
        pub const ALL: &[Metric] = &[$($id),*];
    };
}

metrics! {
    BUILD = Info "jiuzhou_build" ["version"]
        "The version that runs" "运行的版本";
    LEADER = Gauge "jiuzhou_leader" []
        "1 while this process leads" "本进程为主时为 1";
    LEADER_TERM = Gauge "jiuzhou_leader_term" []
        "Term of this process while it leads" "本进程为主时的任期";
    RECONCILES = Counter "jiuzhou_reconciles" ["controller" "outcome"]
        "Reconciles that ended, by controller (workloads: batches decided; statuses; members; tenants; reports) and outcome (done, error)" "已结束的调谐次数，按控制器（workloads 为决策批次，及 statuses、members、tenants、reports）与结果（done、error）";
    RECONCILE_ERRORS = Counter "jiuzhou_reconcile_errors" ["controller" "category"]
        "Reconciles that failed, by category of the error" "失败的调谐次数，按错误类别";
    RECONCILE_SECONDS = Histogram "jiuzhou_reconcile_duration_seconds" ["controller"]
        "Time of one reconcile" "单次调谐耗时";
    QUEUE = Gauge "jiuzhou_queue_depth" ["controller"]
        "Objects that wait for a controller (workloads, statuses, tenants)" "等待控制器处理的对象数（workloads、statuses、tenants）";
    DECISION_SECONDS = Histogram "jiuzhou_decision_duration_seconds" []
        "Time to decide one batch of workloads" "一批工作负载的决策耗时";
    COMMIT_SECONDS = Histogram "jiuzhou_commit_duration_seconds" []
        "Time from a decision to its durable commit and record" "从作出决策到提交并落盘记录的耗时";
    DELIVERY_SECONDS = Histogram "jiuzhou_delivery_duration_seconds" ["connection"]
        "Time from a commit (of what waits its turn: from its order) to the objects existing in the member" "从提交（排队等待的从下发起算）到对象在成员集群中存在的耗时";
    MEMBER_REQUESTS = Counter "jiuzhou_member_requests" ["cluster" "result"]
        "Requests to members by push, by result (done, or the category of the error)" "发往推送成员集群的请求数，按结果（done 或错误类别）";
    WORKLOADS = Gauge "jiuzhou_workloads" ["state" "reason"]
        "Workloads, by state (ready, progressing, pending, refused, violating) and reason" "工作负载数，按状态（ready、progressing、pending、refused、violating）与原因";
    MEMBERS = Gauge "jiuzhou_members" ["connection" "state"]
        "Member clusters, by connection and reachability" "成员集群数，按接入方式与可达性";
    AUDIT_APPENDS = Counter "jiuzhou_audit_appends" ["result"]
        "Appends to the audit log, by result (appended, repeated, failed)" "审计日志追加次数，按结果（appended、repeated、failed）";
    AUDIT_BATCHES = Counter "jiuzhou_audit_batches" []
        "Writes to the audit log, each one fsync for all that waited" "审计日志写盘次数，每次一个 fsync";
    AUDIT_WAITING = Gauge "jiuzhou_audit_waiting" []
        "Appends that wait to be durable" "等待落盘的追加数";
    AUDIT_RECORDS = Gauge "jiuzhou_audit_records" []
        "Records in the audit log" "审计日志记录数";
    ADOPTION = Gauge "jiuzhou_adoption_systems" ["scope" "state"]
        "Information systems by province and state (adopted, not-adopted, left-out); measured adoption is adopted / (adopted + not-adopted)" "政务信息系统数，按省份与状态（adopted 已上云、not-adopted 未上云、left-out 不计）；实测上云率为 adopted / (adopted + not-adopted)";
    HOSTING = Gauge "jiuzhou_hosting_systems" ["state"]
        "Information systems by declared hosting" "政务信息系统数，按申报的部署形态";
    DOMESTIC = Gauge "jiuzhou_domestic_cpu_cores" ["basis" "state"]
        "Observed CPU on the cloud, domestic and other, on each basis (assessed, brand, non-x86)" "云上实测 CPU 核数，国产与其他，按口径（assessed、brand、non-x86）";
    ENERGY = Counter "jiuzhou_energy_joules" ["site" "province" "source"]
        "IT energy since this process leads, added up from power models at the use observed, by site and how well the models know it (modelled, default)" "本进程为主以来的 IT 能耗，由功率模型按实测利用率累计，按机房与模型依据（modelled、default）";
    TENANT_ENERGY = Counter "jiuzhou_tenant_energy_joules" ["tenant" "use"]
        "The same by tenant and use (active, idle); (system) belongs to nobody, (unallocated) is free capacity" "同上，按单位与用途（active、idle）；(system) 为系统自用，(unallocated) 为未分配";
    MONTH = Gauge "jiuzhou_month_start_timestamp_seconds" []
        "First moment of the month that the monthly figures are of: the last that has ended in Beijing" "月度数据所属月份的起始时刻：最近一个已结束的北京时间月份";
    MONTH_ENERGY = Gauge "jiuzhou_month_energy_joules" ["site" "province" "source"]
        "IT energy of the last month, by site and how it is known (measured, modelled, default)" "上月 IT 能耗，按机房与来源（measured、modelled、default）";
    MONTH_TENANT_ENERGY = Gauge "jiuzhou_month_tenant_energy_joules" ["tenant" "use"]
        "IT energy of the last month by tenant and use (active, idle); (system) belongs to nobody, (unallocated) is free capacity" "上月 IT 能耗，按单位与用途（active、idle）；(system) 为系统自用，(unallocated) 为未分配";
    FACILITY_ENERGY = Gauge "jiuzhou_month_facility_energy_joules" ["site" "province" "source"]
        "Energy of the whole room in the last month, metered or by PUE" "上月机房总能耗，计量或按 PUE 推算";
    CO2E = Gauge "jiuzhou_month_co2e_grams" ["site" "province" "method"]
        "Emissions of the last month, location or market based" "上月碳排放，按位置法或市场法";
    PUE = Gauge "jiuzhou_pue_ratio" ["site" "kind"]
        "PUE of exactly the last month; absent when not known" "上月 PUE；未知时无此序列";
    PUE_LIMIT = Gauge "jiuzhou_pue_limit_ratio" ["site" "limit"]
        "PUE limits that apply to a site" "适用于机房的 PUE 限值";
    REF = Gauge "jiuzhou_ref_ratio" ["site"]
        "Renewable energy factor of the last month" "上月可再生能源利用率";
    WUE = Gauge "jiuzhou_wue_liters_per_kilowatt_hour" ["site"]
        "Water usage effectiveness of the last month" "上月水资源利用率";
    TIER = Gauge "jiuzhou_sovereignty_tier" ["cluster"]
        "Rank of the sovereignty tier a cluster meets; absent when unknown" "成员集群达到的主权等级；未知时无此序列";
    EVIDENCE = Gauge "jiuzhou_evidence_expiry_timestamp_seconds" ["kind" "cluster"]
        "When the first evidence or assessment of a kind runs out that nothing has replaced; in the past when it has" "同类证据或测评中最早到期且未被接替者的到期时间；已到期则为过去的时刻";
    CREDENTIAL = Gauge "jiuzhou_credential_expiry_timestamp_seconds" ["cluster"]
        "When the credential of the hub for a member runs out; absent when it does not say" "中心访问成员的凭据的到期时间；凭据未载明时无此序列";
    SERIES_DROPPED = Gauge "jiuzhou_metric_series_dropped" []
        "Series left out of this scrape because a metric has too many" "因单项指标序列过多而未输出的序列数";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_follow_the_rules() {
        let mut seen = BTreeSet::new();
        for metric in ALL {
            let base = metric.base;
            assert!(base.starts_with("jiuzhou_"), "{base}");
            assert!(
                base.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'),
                "{base}"
            );
            assert!(seen.insert(base), "{base} twice");
            assert!(!base.ends_with("_total") && !base.ends_with("_info"), "{base}: the kind adds the suffix");
            for unit in ["millis", "kilowatt_hours", "percent", "kwh", "kilograms", "milli"] {
                assert!(!base.ends_with(unit), "{base} is not in base units");
            }
            if metric.kind == Kind::Histogram {
                assert!(base.ends_with("_seconds"), "{base}");
            }
            for label in metric.labels {
                assert!(
                    !["workload", "pod", "user", "uid", "decision", "namespace"].contains(label),
                    "{base}: {label}"
                );
            }
            assert!(!metric.en.ends_with('.') && !metric.en.is_empty() && !metric.zh.is_empty(), "{base}");
        }
    }
}
