//! References to paper: documents that order, allow or prove something.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::text::{ContentDigest, Date, DocumentNumber, Title};

/// A document that orders, allows or proves something. 作为依据的文件。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// Its number as printed. 文号，按原文。
    pub number: DocumentNumber,
    /// Its title. 标题。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Title>,
    /// Day of issue. 发文日期。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// Digest of the original. 原件摘要。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<ContentDigest>,
}
