//! `AssessmentEvidence` 评估证据: what of the evaluation index a body can prove, for `jiuzhou report assessment`.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::{Date, Name, Title, Token};
use crate::v1alpha1::Document;

/// What of the evaluation index a body can prove. 一个单位对评估指数的举证。
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "study.jiuzhou.dev",
    version = "v1alpha1",
    kind = "AssessmentEvidence",
    plural = "assessmentevidences",
    derive = "PartialEq",
    derive = "Default",
    doc = "What of the evaluation index a body can prove, for `jiuzhou report assessment`; nothing acts on it. 单位对评估指数的举证，供 `jiuzhou report assessment` 使用，不会被执行。"
)]
#[serde(rename_all = "camelCase")]
pub struct AssessmentEvidenceSpec {
    /// The body; it stands for everything below it in the tree of localities. 单位，代表其块上的全部下级。
    pub tenant: Name,
    /// What its stage depends on. 分级所依据的情况。
    #[serde(default)]
    pub facts: StageFacts,
    /// Its stage as a document fixes it; needed for bodies that are no prefecture-level city. 依文件确定的阶段；非地级市的单位须填写。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<DeclaredStage>,
    /// Evidence of items. 各项证据。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["item".into()]))]
    pub items: Vec<ItemEvidence>,
}

/// Information infrastructure. 信息化基础设施。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Infrastructure {
    /// Weak. 薄弱。
    #[default]
    Weak,
    /// A certain base. 有一定基础。
    Certain,
    /// Strong. 较强。
    Strong,
}

/// A stage. 阶段。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum AssessmentStage {
    /// 基础阶段. Basic.
    #[default]
    Basic,
    /// 发展阶段. Development.
    Development,
    /// 创新阶段. Innovation.
    Innovation,
}

/// What the stage of a prefecture-level city depends on; what is absent is unknown. 地级市分级所依据的情况；未填写即未知。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct StageFacts {
    /// People. 人口数量。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 2_000_000_000_i64))]
    pub population: Option<i64>,
    /// Gross domestic product in millions of yuan; 100 millions are 1 亿. 地区生产总值（百万元），1 亿元写作 100。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000_000_i64))]
    pub gdp_million_yuan: Option<i64>,
    /// Universities. 高校数量。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10_000))]
    pub universities: Option<i32>,
    /// Information infrastructure. 信息化基础设施。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub infrastructure: Option<Infrastructure>,
    /// Where the figures are from. 数据来源文件。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
}

/// A stage and the document that fixes it. 阶段及其依据文件。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeclaredStage {
    /// The stage. 阶段。
    pub stage: AssessmentStage,
    /// The document. 依据文件。
    pub document: Document,
}

/// Evidence of one item; it counts once another person has verified it. 一项证据，经他人核实后计入。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemEvidence {
    /// The item, by its id in the index. 指标项标识。
    pub item: Token,
    /// How far it is fulfilled, in thousandths. 达成程度（千分之几）。
    #[schemars(range(min = 0, max = 1000))]
    pub per_mille: i32,
    /// What proves it. 证明文件。
    pub document: Document,
    /// Last day it holds; open when absent. 有效期末日；未填写则不限。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Date>,
    /// Who entered it. 填报人。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entered_by: Option<Title>,
    /// Who verified it; another person. 核实人，须为他人。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_by: Option<Title>,
    /// Day of the verification. 核实日期。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_on: Option<Date>,
}
