//! Graded protection (等保) and cryptography assessment (密评) of a cluster or a system.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evidence::EvidenceState;
use crate::text::{ContentDigest, Date, DocumentNumber, Title};

/// What an assessment concluded. 测评结论。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum AssessmentConclusion {
    /// Fulfilled. 符合（优、良）。
    #[default]
    Passed,
    /// Fulfilled in the main. 基本符合（中）。
    PassedInMain,
    /// Not fulfilled. 不符合（差）。
    Failed,
}

/// One report of an assessment. 一份测评报告。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = ("self.date < self.dueAgain", "dueAgain: must be after date, because a report is valid from its date until the next assessment is due. dueAgain：须晚于 date，报告自出具之日起至下次测评到期有效。"),
    validation = ("!has(self.verifiedBy) || !has(self.enteredBy) || self.verifiedBy != self.enteredBy", "reports.verifiedBy: must be another person than enteredBy, because nobody verifies the report they entered. reports.verifiedBy：须与 enteredBy 不是同一人，录入人不得自行核实报告。"),
    validation = ("self.state != 'Verified' || (has(self.enteredBy) && has(self.verifiedBy) && has(self.verifiedOn))", "enteredBy, verifiedBy, verifiedOn: must be given while state is Verified, because two persons answer for it from that day. enteredBy、verifiedBy、verifiedOn：state 为 Verified 时必填，自该日起由两人负责。")
)]
pub struct AssessmentReport {
    /// Number of the report. 报告编号。
    pub number: DocumentNumber,
    /// Who assessed. 测评机构。
    pub assessor: Title,
    /// Day of the report. 报告日期。
    pub date: Date,
    /// What it concluded. 结论。
    #[serde(default)]
    pub conclusion: AssessmentConclusion,
    /// Last day before the next assessment is due. 下次测评到期日。
    pub due_again: Date,
    /// Day it was recorded here; its own date when absent. 录入日期；未填写时取报告日期。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_on: Option<Date>,
    /// Who entered it. 录入人。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entered_by: Option<Title>,
    /// Who verified it against the original; another person. 对照原件核实的人；须为另一人。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_by: Option<Title>,
    /// Day it was verified; it counts from then on. 核实日期，自该日起计。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_on: Option<Date>,
    /// Where it stands; only a verified report counts. 状态；仅已核实的报告计入。
    #[serde(default)]
    pub state: EvidenceState,
    /// Day it was rejected or revoked; from then on it does not count. 核实不通过或撤销的日期，自该日起不计。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_on: Option<Date>,
    /// Digest of the original. 原件摘要。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<ContentDigest>,
}

/// Graded protection by GB/T 22239 and 22240, or cryptography by GB/T 39786. 等级保护（GB/T 22239、22240）或密码应用（GB/T 39786）。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = (
    "(!has(self.business) || self.business <= self.level) && (!has(self.service) || self.service <= self.level)",
    "business, service: S and A must not be above level, because the level is the higher of the two. business、service：S 与 A 不得高于 level，定级取两者较高者。"
))]
pub struct Protection {
    /// Level 1 to 5. 等级，1 至 5。
    #[schemars(range(min = 1, max = 5))]
    pub level: i32,
    /// S: level of business information. S：业务信息安全等级。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 5))]
    pub business: Option<i32>,
    /// A: level of system service. A：系统服务安全等级。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 5))]
    pub service: Option<i32>,
    /// Number of the filing. 备案编号。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filing_number: Option<DocumentNumber>,
    /// Reports, oldest first. 测评报告，由旧到新。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["number".into()]))]
    pub reports: Vec<AssessmentReport>,
}
