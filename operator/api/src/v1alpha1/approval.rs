//! `Approval` 审批单: another person's consent to exactly one order.
//!
//! It names the order by the digest of all that it says, so that an order that is changed has no approval. It is used
//! once. The API server's own word for who asks and who approves stands in it where the chart's admission policies are
//! installed; a commit in Git is no approval.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::Document;
use crate::text::{ContentDigest, Date, Text, Title};

/// An approval. 审批单。
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "jiuzhou.dev",
    version = "v1alpha1",
    kind = "Approval",
    plural = "approvals",
    shortname = "apv",
    category = "jiuzhou",
    status = "ApprovalStatus",
    derive = "PartialEq",
    doc = "The consent of others than the requester to exactly one order, named by its digest; used once. 审批单：由申请人以外的人员批准且仅批准一项指令，以摘要指明，一次有效。",
    printcolumn(
        name = "Order",
        type_ = "string",
        json_path = ".spec.order",
        description = "Kind of order. 指令类型。"
    ),
    printcolumn(
        name = "Subject",
        type_ = "string",
        json_path = ".spec.subject",
        description = "What it is about. 指令对象。"
    ),
    printcolumn(
        name = "Requester",
        type_ = "string",
        json_path = ".spec.requester",
        description = "Who asked. 申请人。"
    ),
    printcolumn(name = "Until", type_ = "string", json_path = ".spec.until", description = "Last day. 截止日。"),
    printcolumn(
        name = "Used",
        type_ = "date",
        json_path = ".status.usedAt",
        description = "When it was used. 使用时间。"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Age. 存在时间。"
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = ("self.approvers.all(x, x.user != self.requester)", "approvers: must be others than the requester, because nobody approves what they asked for. approvers：须与申请人不是同一人，申请人不得自行批准。"),
    validation = ("self.order == oldSelf.order && self.subject == oldSelf.subject && self.digest == oldSelf.digest && self.requester == oldSelf.requester && self.needed == oldSelf.needed && self.until == oldSelf.until", "order, subject, digest, requester, needed, until: cannot be changed, because an approval is of one order as it was shown; make a new one. order、subject、digest、requester、needed、until：不得更改，审批单只对所示的一项指令有效；请另行审批。")
)]
pub struct ApprovalSpec {
    /// Kind of order. 指令类型。
    pub order: ApprovedOrder,
    /// What it is about, e.g. NAMESPACE/SYSTEM. 指令对象，例如 命名空间/系统。
    pub subject: Title,
    /// Digest of the order with all that it says. 指令全部内容的摘要。
    pub digest: ContentDigest,
    /// User that asked for it. 申请人的用户名。
    pub requester: Title,
    /// Who approves. 批准人。
    #[schemars(length(min = 1, max = 8))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["user".into()]))]
    pub approvers: Vec<Approver>,
    /// How many have to approve. 所需批准人数。
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 8))]
    pub needed: i32,
    /// Document that it rests on. 依据文件。
    pub document: Document,
    /// Last day on which it can be used. 可使用的末日。
    pub until: Date,
}

fn one() -> i32 {
    1
}

/// Kind of order that needs an approval. 须经审批的指令类型。
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ApprovedOrder {
    /// A system is stopped everywhere. 停用系统。
    StopSystem,
    /// Deletions that are held are carried out. 执行被暂停的删除。
    DeleteWorkloads,
    /// An emergency begins. 启用战时模式。
    OperatingMode,
    /// The class of a system's data is lowered. 降低系统的数据级别。
    LowerClass,
    /// A system is exempt from moving to the cloud. 系统豁免上云。
    Exempt,
    /// A tenant's quota is raised. 提高单位的配额。
    RaiseQuota,
    /// What a sovereignty tier asks for is changed. 变更主权等级的要求。
    ChangeTier,
    /// So many workloads leave clusters at once though nobody asked them to. 大量工作负载在无人要求的情况下同时迁移。
    MassChange,
}

/// One who approves. 批准人。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Approver {
    /// User, as the API server knows it. API 服务器所知的用户名。
    pub user: Title,
    /// In which role, e.g. 分管局长. 角色，例如 分管局长。
    pub role: Title,
    /// What is confirmed. 批准意见。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Text>,
}

/// What became of an approval. 审批单的使用情况。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalStatus {
    /// Generation of the spec this status was computed from. 状态所依据的 spec 代数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,
    /// When it was used. From then on it stands for that one order and no other. 使用时间；此后只对该指令有效。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::time")]
    pub used_at: Option<Time>,
    /// When the order it was used for ended; it can never be used again. 所用指令结束的时间；此后不得再次使用。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::time")]
    pub closed_at: Option<Time>,
    /// Conditions Ready, Reconciling, Stalled. 状态条件 Ready、Reconciling、Stalled。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::schema::conditions")]
    pub conditions: Vec<Condition>,
}
