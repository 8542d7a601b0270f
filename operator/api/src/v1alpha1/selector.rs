//! Ways to name many objects: clusters by name, place and label; nodes and objects by label.
//!
//! All parts of one selector must match; an empty selector is refused where it would mean "everything" by accident.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::member_cluster::{CloudForm, Ownership, PlaceKind};
use crate::text::{LabelKey, LabelValue, Labels, Name, RegionCode};

/// How an expression compares. 表达式的比较方式。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum LabelOperator {
    /// The value is one of the values. 值在列表中。
    #[default]
    In,
    /// The value is none of the values, or the label is absent. 值不在列表中，或没有该标签。
    NotIn,
    /// The label is there. 有该标签。
    Exists,
    /// The label is not there. 没有该标签。
    DoesNotExist,
}

/// One expression over a label. 针对一个标签的表达式。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = (
    "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
    "values: give at least one with In and NotIn and none with Exists and DoesNotExist, because only the first two compare values. values：In 与 NotIn 至少填写一个值，Exists 与 DoesNotExist 不填，只有前两者比较值。"
))]
pub struct LabelExpression {
    /// Key of the label. 标签的键。
    pub key: LabelKey,
    /// How it compares. 比较方式。
    #[serde(default)]
    pub operator: LabelOperator,
    /// Values for In and NotIn. In 与 NotIn 的取值。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub values: Vec<LabelValue>,
}

/// Which member clusters are meant; every part that is given must match. 指明成员集群；给出的各项须同时满足。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = (
    "(has(self.names) && size(self.names) > 0) || (has(self.excludeNames) && size(self.excludeNames) > 0) || (has(self.sites) && size(self.sites) > 0) || (has(self.regions) && size(self.regions) > 0) || (has(self.providers) && size(self.providers) > 0) || (has(self.forms) && size(self.forms) > 0) || (has(self.places) && size(self.places) > 0) || (has(self.ownerships) && size(self.ownerships) > 0) || (has(self.labels) && size(self.labels) > 0) || (has(self.expressions) && size(self.expressions) > 0)",
    "cluster selector: give at least one of names, excludeNames, sites, regions, providers, forms, places, ownerships, labels, expressions, because an empty one would silently mean every cluster. 集群选择：至少填写 names、excludeNames、sites、regions、providers、forms、places、ownerships、labels、expressions 之一，空的选择会悄然匹配全部集群。"
))]
pub struct ClusterSelector {
    /// Only these clusters. 仅这些集群。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub names: Vec<Name>,
    /// Never these clusters. 排除这些集群。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub exclude_names: Vec<Name>,
    /// Only clusters in these sites. 仅这些机房的集群。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub sites: Vec<Name>,
    /// Only clusters in these regions; 530000 covers 532900. 仅这些区划的集群；530000 包含 532900。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub regions: Vec<RegionCode>,
    /// Only clusters of these providers. 仅这些服务商的集群。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub providers: Vec<Name>,
    /// Only these forms of cloud. 仅这些云形态。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    pub forms: Vec<CloudForm>,
    /// Only these kinds of place. 仅这些位置类型。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 2))]
    pub places: Vec<PlaceKind>,
    /// Only these kinds of ownership. 仅这些所有权类型。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    pub ownerships: Vec<Ownership>,
    /// Labels of the MemberCluster that must be equal. 须相等的成员集群标签。
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Expressions over the labels of the MemberCluster. 针对成员集群标签的表达式。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub expressions: Vec<LabelExpression>,
}

/// Which objects are meant, by label. 按标签指明对象。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = (
    "(has(self.labels) && size(self.labels) > 0) || (has(self.expressions) && size(self.expressions) > 0)",
    "label selector: give labels or expressions, because an empty one would silently mean every object. 标签选择：填写 labels 或 expressions，空的选择会悄然匹配全部对象。"
))]
pub struct LabelSelector {
    /// Labels that must be equal. 须相等的标签。
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Expressions over labels. 针对标签的表达式。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub expressions: Vec<LabelExpression>,
}
