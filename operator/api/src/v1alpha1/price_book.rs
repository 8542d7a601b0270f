//! `PriceBook` 价目表: what a provider charges, in fen, with validity.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{document::Document, plain_status::PlainStatus};
use crate::text::{Month, Name, ObjectName, Title, Token};

/// Prices of one provider. 一个服务商的价格。
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "jiuzhou.dev",
    version = "v1alpha1",
    kind = "PriceBook",
    plural = "pricebooks",
    shortname = "pb",
    category = "jiuzhou",
    status = "PlainStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "A service catalogue with prices in fen, by provider and platform. 服务目录与价格（分），按服务商与平台。",
    printcolumn(name = "Provider", type_ = "string", json_path = ".spec.provider", description = "Provider. 服务商。"),
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
pub struct PriceBookSpec {
    /// Name for people. 显示名称。
    pub display_name: Title,
    /// Provider whose prices these are. 服务商。
    pub provider: Name,
    /// Document that fixes them. 定价依据。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
    /// Entries of the catalogue. 目录项。
    #[schemars(length(max = 512))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["code".into()]))]
    pub items: Vec<PriceItem>,
}

/// What is counted. 计量单位。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum PriceUnit {
    /// One cpu for one hour. 核时。
    #[default]
    CpuHour,
    /// One GiB of memory for one hour. 内存 GiB 时。
    MemoryGibHour,
    /// One GiB of storage for one month. 存储 GiB 月。
    StorageGibMonth,
    /// One accelerator for one hour. 加速卡时。
    AcceleratorHour,
    /// One node for one month. 节点月。
    NodeMonth,
    /// One item for one month. 项月。
    ItemMonth,
    /// One kWh. 千瓦时。
    KilowattHour,
}

/// One entry of a catalogue. 一个目录项。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PriceItem {
    /// Code in the service catalogue. 服务目录编码。
    pub code: Token,
    /// Title. 名称。
    pub title: Title,
    /// What is counted. 计量单位。
    pub unit: PriceUnit,
    /// Platform it is for; every platform when absent. 适用的芯片平台；未填写则全部。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<ObjectName>,
    /// Accelerator class it is for. 适用的加速器类别。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accelerator: Option<Token>,
    /// Prices over time. 各时期价格。
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["fromMonth".into()]))]
    pub prices: Vec<Price>,
}

/// A price and when it holds; a change takes effect with a month. 一个价格及有效期；调价自月初生效。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("!has(self.untilMonth) || self.fromMonth <= self.untilMonth", "untilMonth: must not be before fromMonth, because a price holds from its first to its last month. untilMonth：不得早于 fromMonth，价格自首月至末月有效。"))]
pub struct Price {
    /// First month. 起始月。
    pub from_month: Month,
    /// Last month; open when absent. 截止月；未填写则长期有效。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_month: Option<Month>,
    /// Fen for `perUnits` units. 每 perUnits 个单位的价格（分）。
    #[schemars(range(min = 0, max = 9_000_000_000_000_i64))]
    pub fen: i64,
    /// How many units that pays, so that prices under one fen are exact. 该价格对应的单位数，使低于一分的单价也精确。
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub per_units: i32,
}

fn one() -> i32 {
    1
}
