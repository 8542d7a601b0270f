//! Evidence: claims about a cluster that somebody entered and somebody else verified.
//!
//! Evidence counts only when verified, recorded by the time in question, and valid on that day.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::class::Dimension;
use crate::text::{ContentDigest, Date, DocumentNumber, Text, Title, Token};

/// Where a piece of evidence stands. 证据状态。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum EvidenceState {
    /// Entered, checked by nobody; counts as unknown. 已录入未核实，按未知处理。
    #[default]
    Unverified,
    /// Checked by a second person. 已由他人核实。
    Verified,
    /// Checked and refused. 核实不通过。
    Rejected,
    /// Withdrawn later. 已撤销。
    Revoked,
}

/// One claim about a cluster with its proof. 关于集群的一项声明及其证明。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = ("self.validFrom <= self.validUntil", "validUntil: must not be before validFrom, because evidence is valid from its first to its last day. validUntil：不得早于 validFrom，证据自首日至末日有效。"),
    validation = ("!has(self.verifiedBy) || self.verifiedBy != self.enteredBy", "verifiedBy: must be another person than enteredBy, because nobody verifies what they entered. verifiedBy：须与 enteredBy 不是同一人，录入人不得自行核实。"),
    validation = ("self.state != 'Verified' || has(self.verifiedBy)", "verifiedBy: must be given while state is Verified, because somebody answers for it. verifiedBy：state 为 Verified 时必填，核实须有人负责。")
)]
pub struct Evidence {
    /// Its id, unique in the cluster. 编号，集群内唯一。
    pub id: Token,
    /// Dimension of sovereignty it speaks to. 所属主权维度。
    pub dimension: Dimension,
    /// What is claimed, e.g. keyCustody. 声明的事项，例如 keyCustody。
    pub claim: Token,
    /// The value claimed, e.g. government. 声明的取值，例如 government。
    pub value: Title,
    /// Who issued the original. 出具单位。
    pub issuer: Title,
    /// Number of the original. 原件编号。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<DocumentNumber>,
    /// First day it is valid. 有效期首日。
    pub valid_from: Date,
    /// Last day it is valid. 有效期末日。
    pub valid_until: Date,
    /// Day it was recorded here; earlier decisions did not know it. 录入日期；此前的决策不知晓该证据。
    pub recorded_on: Date,
    /// Who entered it. 录入人。
    pub entered_by: Title,
    /// Who verified it; another person. 核实人；须为另一人。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_by: Option<Title>,
    /// Day it was verified. 核实日期。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_on: Option<Date>,
    /// Where it stands. 状态。
    #[serde(default)]
    pub state: EvidenceState,
    /// Day it was rejected or revoked; from then on it does not count. 核实不通过或撤销的日期，自该日起不计。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_on: Option<Date>,
    /// Digest of the original. 原件摘要。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<ContentDigest>,
    /// Note for people. 备注。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}
