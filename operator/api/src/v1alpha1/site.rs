//! `Site` 机房: a data centre with its place, its energy figures and its certificates.
//!
//! Figures are stated as read, with their period and position; what they mean is measure's business.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::Document;
use crate::text::{Date, DocumentNumber, Month, Name, RegionCode, Title, Token};

/// A data centre. 机房。
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "jiuzhou.dev",
    version = "v1alpha1",
    kind = "Site",
    plural = "sites",
    shortname = "jzsite",
    category = "jiuzhou",
    status = "SiteStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "A data centre: where it is, who runs it, its energy figures and certificates. 机房：位置、运营方、能耗数据与绿证。",
    printcolumn(
        name = "Region",
        type_ = "string",
        json_path = ".spec.region",
        description = "GB/T 2260 code. 区划代码。"
    ),
    printcolumn(name = "Provider", type_ = "string", json_path = ".spec.provider", description = "Provider. 服务商。"),
    printcolumn(
        name = "Clusters",
        type_ = "integer",
        json_path = ".status.clusters",
        description = "Member clusters in it. 成员集群数。"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].status",
        description = "Ready. 就绪。"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].reason",
        description = "Why. 原因。"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Age. 存在时间。"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct SiteSpec {
    /// Name for people. 显示名称。
    pub display_name: Title,
    /// GB/T 2260 code of the county, prefecture or province it stands in; never changes. 所在地的 GB/T 2260 区划代码，不可更改。
    #[x_kube(validation = ("self == oldSelf", "region: cannot be changed once set, because placements were allowed by it: make a new Site. region：设定后不可更改，既有部署以其为依据：请新建 Site。"))]
    pub region: RegionCode,
    /// Provider that runs it. 运营服务商。
    pub provider: Name,
    /// Whether it is a machine room of government. 是否政府机房。
    #[serde(default)]
    pub government_owned: bool,
    /// Number of standard racks; some limits do not hold for 100 or fewer. 标准机架数；部分限值不适用于 100 架及以下。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub standard_racks: Option<i32>,
    /// Whether it stands in a national computing hub cluster (东数西算). 是否位于“东数西算”国家枢纽集群。
    #[serde(default)]
    pub national_hub: bool,
    /// First day of operation; newer sites have stricter limits. 投入运行日期；新建机房限值更严。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_service_since: Option<Date>,
    /// PUE figures by period and kind. PUE 数据，按周期与类别。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["fromMonth".into(), "kind".into()]))]
    pub pue: Vec<PueFigure>,
    /// Shares of renewable energy (REF) by period. 可再生能源利用率（REF），按周期。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["fromMonth".into()]))]
    pub renewable: Vec<RenewableFigure>,
    /// Water use (WUE) by period. 水资源利用效率（WUE），按周期。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["fromMonth".into()]))]
    pub water: Vec<WaterFigure>,
    /// Readings of the site's meters per month. 机房电表月度读数。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 512))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["month".into(), "meter".into()]))]
    pub meter_readings: Vec<MeterReading>,
    /// Electricity bills per month. 月度电费单。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["month".into(), "number".into()]))]
    pub bills: Vec<ElectricityBill>,
    /// Grid emission factors by year; absent years take the factor of the province. 电网排放因子，按年；缺少的年份采用所在省份的因子。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["year".into(), "basis".into()]))]
    pub grid_factors: Vec<GridFactor>,
    /// Green electricity certificates, each entered once. 绿色电力证书，每张仅录入一次。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    #[x_kube(
        merge_strategy = ListMerge::Map(vec!["id".into()]),
        validation = ("self.all(c, self.exists_one(o, o.id == c.id))", "certificates: every id may stand once, because a certificate counts once. certificates：每个 id 只能出现一次，同一证书只计一次。")
    )]
    pub certificates: Vec<GreenCertificate>,
    /// Limits that apply beside the built-in ones. 内置限值之外适用的限值。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub limits: Vec<SiteLimit>,
}

/// How a PUE figure came about. PUE 数据的来历。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum PueKind {
    /// Measured over the whole period. 全周期实测。
    #[default]
    Measured,
    /// From the design. 设计值。
    Design,
    /// Measured in a part of the site. 局部实测（pPUE）。
    Partial,
    /// Measured over less than twelve months. 不足十二个月的实测。
    Interim,
}

/// Where IT energy is metered, categories of ISO/IEC 30134-2. IT 能耗计量位置（ISO/IEC 30134-2）。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum MeterPosition {
    /// PUE1. UPS 输出端。
    #[default]
    UpsOutput,
    /// PUE2. PDU 输出端。
    PduOutput,
    /// PUE3. IT 设备输入端。
    ItInput,
}

/// A PUE figure. 一项 PUE 数据。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = ("self.perMille >= 1000", "perMille: PUE must be 1000 (1.000) or more, because a site cannot use less than its IT equipment. perMille：PUE 须不小于 1000（即 1.000），机房用电不可能少于 IT 设备用电。"),
    validation = ("self.fromMonth <= self.untilMonth", "untilMonth: must not be before fromMonth, because a period runs forward. untilMonth：不得早于 fromMonth，周期须由前至后。")
)]
pub struct PueFigure {
    /// First month. 起始月。
    pub from_month: Month,
    /// Last month. 截止月。
    pub until_month: Month,
    /// PUE in thousandths: 1.25 is 1250. PUE 千分数：1.25 写作 1250。
    #[schemars(range(max = 10000))]
    pub per_mille: i32,
    /// How it came about. 来历。
    #[serde(default)]
    pub kind: PueKind,
    /// Where IT energy was metered. 计量位置。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meter_position: Option<MeterPosition>,
    /// Report it was taken from. 出处。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
}

/// A share of renewable energy. 一项可再生能源利用率。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("self.fromMonth <= self.untilMonth", "untilMonth: must not be before fromMonth, because a period runs forward. untilMonth：不得早于 fromMonth，周期须由前至后。"))]
pub struct RenewableFigure {
    /// First month. 起始月。
    pub from_month: Month,
    /// Last month. 截止月。
    pub until_month: Month,
    /// REF in thousandths, at most 1000. REF 千分数，不超过 1000。
    #[schemars(range(min = 0, max = 1000))]
    pub per_mille: i32,
    /// Report it was taken from. 出处。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
}

/// Water used per energy of IT. 一项水资源利用效率。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("self.fromMonth <= self.untilMonth", "untilMonth: must not be before fromMonth, because a period runs forward. untilMonth：不得早于 fromMonth，周期须由前至后。"))]
pub struct WaterFigure {
    /// First month. 起始月。
    pub from_month: Month,
    /// Last month. 截止月。
    pub until_month: Month,
    /// Millilitres of site water per kWh of IT energy. 每千瓦时 IT 用电的现场耗水毫升数。
    #[schemars(range(min = 0, max = 100_000))]
    pub millilitres_per_kwh: i32,
}

/// What a meter measures. 电表计量对象。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum MeterKind {
    /// All energy of the site. 机房总用电。
    #[default]
    Site,
    /// Energy of IT equipment. IT 设备用电。
    It,
    /// Energy generated on the site. 现场发电。
    Generation,
}

/// The energy of one month by one meter. 一块电表一个月的电量。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct MeterReading {
    /// Month. 月份。
    pub month: Month,
    /// What it measures. 计量对象。
    #[serde(default)]
    pub meter: MeterKind,
    /// Energy of the month in watt-hours. 当月电量（瓦时）。
    #[schemars(range(min = 0, max = 9_000_000_000_000_000_i64))]
    pub watt_hours: i64,
}

/// One electricity bill. 一张电费单。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ElectricityBill {
    /// Month. 账期。
    pub month: Month,
    /// Number of the bill. 账单号。
    pub number: DocumentNumber,
    /// Energy billed in watt-hours. 计费电量（瓦时）。
    #[schemars(range(min = 0, max = 9_000_000_000_000_000_i64))]
    pub watt_hours: i64,
    /// Amount in fen. 金额（分）。
    #[schemars(range(min = 0, max = 9_000_000_000_000_000_i64))]
    pub fen: i64,
}

/// What a grid factor averages. 排放因子口径。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum FactorBasis {
    /// Average of the place. 所在地平均。
    #[default]
    Location,
    /// Average without non-fossil energy sold by certificate. 不含市场化交易非化石能源的平均。
    Residual,
}

/// Emission factor of the grid in one year. 一年的电网排放因子。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct GridFactor {
    /// Year. 年份。
    #[schemars(range(min = 2000, max = 2100))]
    pub year: i32,
    /// What it averages. 口径。
    #[serde(default)]
    pub basis: FactorBasis,
    /// Milligrams of CO2 per kWh: 0.5366 kg is 536600. 每千瓦时二氧化碳毫克数：0.5366 千克写作 536600。
    #[schemars(range(min = 0, max = 5_000_000))]
    pub milligrams_per_kwh: i64,
    /// Where it was published. 出处。
    pub document: Document,
}

/// Source of the energy of a certificate. 绿证电源类型。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum CertificateSource {
    /// Wind. 风电。
    #[default]
    Wind,
    /// Solar. 太阳能发电。
    Solar,
    /// Biomass. 生物质发电。
    Biomass,
    /// Geothermal. 地热能发电。
    Geothermal,
    /// Ocean. 海洋能发电。
    Ocean,
    /// Hydro. 水电。
    Hydro,
}

/// A green electricity certificate, or a batch under one number. 一张绿证，或同一编号的一批绿证。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = (
    "!has(self.retiredOn) || self.generatedMonth <= self.retiredOn.substring(0, 7)",
    "retiredOn: must not be before generatedMonth, because energy is retired after it was generated. retiredOn：不得早于 generatedMonth，先发电后核销。"
))]
pub struct GreenCertificate {
    /// Its unique number. 唯一编号。
    pub id: Token,
    /// Energy in watt-hours; one certificate is 1,000,000. 电量（瓦时）；一张绿证为 1000000。
    #[schemars(range(min = 1, max = 9_000_000_000_000_000_i64))]
    pub watt_hours: i64,
    /// Month of generation; it is valid for two years from it. 发电月份；自该月起两年内有效。
    pub generated_month: Month,
    /// Day it was declared consumed; absent while it is only held. 核销日期；仅持有时不填。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_on: Option<Date>,
    /// Source of the energy. 电源类型。
    #[serde(default)]
    pub source: CertificateSource,
    /// Whether it may be traded; others count only for who generated. 是否可交易；不可交易的仅发电方可用。
    #[serde(default = "yes")]
    pub tradable: bool,
}

fn yes() -> bool {
    true
}

/// What a limit bounds. 限值对象。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum SiteMetric {
    /// PUE in thousandths, at most. PUE 千分数，上限。
    #[default]
    PuePerMille,
    /// REF in thousandths, at least. REF 千分数，下限。
    RenewablePerMille,
    /// WUE in millilitres per kWh, at most. WUE 毫升每千瓦时，上限。
    WaterMillilitresPerKwh,
}

/// A limit the site must keep. 机房须遵守的限值。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("!has(self.until) || self.from <= self.until", "until: must not be before from, because a limit holds from its first to its last day. until：不得早于 from，限值自首日至末日有效。"))]
pub struct SiteLimit {
    /// Its name. 名称。
    pub name: Name,
    /// What it bounds. 限值对象。
    pub metric: SiteMetric,
    /// The bound in the unit of the metric. 限值，单位随对象。
    #[schemars(range(min = 0, max = 1_000_000))]
    pub bound: i32,
    /// First day it holds. 生效日。
    pub from: Date,
    /// Last day it holds. 截止日。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// Where it is written. 出处。
    pub document: Document,
}

/// What was observed of a site. 机房的观测状态。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SiteStatus {
    /// Generation of the spec this status was computed from. 状态所依据的 spec 代数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,
    /// Member clusters that name it. 引用它的成员集群数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub clusters: Option<i32>,
    /// Conditions Ready, Reconciling, Stalled. 状态条件 Ready、Reconciling、Stalled。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::schema::conditions")]
    pub conditions: Vec<Condition>,
}
