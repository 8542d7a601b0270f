//! Bounded texts: one newtype per form of string a field may hold, each with its own schema.
//!
//! A form carries its bounds and, where a form has a reason a person should read, a CEL rule with a bilingual message;
//! so the same message appears wherever the form is used. Checks that need a table or arithmetic (does this region
//! exist, is this check digit right) are intake's.

use std::{borrow::Cow, collections::BTreeMap, fmt, ops::Deref};

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

macro_rules! texts {
    ($($(#[doc = $doc:literal])* $name:ident { max: $max:literal $(, pattern: $pattern:literal)?
        $(, rule: $rule:literal, message: $message:literal)* $(,)? })*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                #[allow(unused_mut, reason = "forms without pattern and rule leave it as it is")]
                let mut schema = json_schema!({
                    "type": "string",
                    "description": concat!($($doc, "\n"),*).trim(),
                    "minLength": 1,
                    "maxLength": $max,
                });
                $(schema.insert("pattern".to_owned(), $pattern.into());)?
                $(crate::schema::add_rule(&mut schema, $rule, $message);)*
                schema
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    )*};
}

texts! {
    /// A name in lower-case letters, digits and hyphens. 名称：小写字母、数字与连字符。
    Name { max: 63, pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" }
    /// The name of another object. 另一对象的名称。
    ObjectName { max: 253, pattern: "^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$" }
    /// A short text for people. 供人阅读的短文本。
    Title { max: 128 }
    /// A text for people. 供人阅读的文本。
    Text { max: 1024 }
    /// An identifier of another system: letters, digits and `._-/+:` in it. 其他系统的标识：字母、数字及 `._-/+:`。
    Token { max: 128, pattern: "^[A-Za-z0-9_][A-Za-z0-9._/+: -]*$" }
    /// The number of a document, certificate, filing or work order, as printed. 文号、证书号、备案编号或工单号，按原文填写。
    DocumentNumber { max: 128 }
    /// A Beijing day, `YYYY-MM-DD`; as an end it is inclusive. 北京时间的一天，`YYYY-MM-DD`；作为截止日时含当日。
    Date { max: 10, pattern: "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$" }
    /// A Beijing month, `YYYY-MM`; as an end it is inclusive. 北京时间的一个月，`YYYY-MM`；作为截止月时含当月。
    Month { max: 7, pattern: "^[0-9]{4}-(0[1-9]|1[0-2])$" }
    /// A GB/T 2260 code of a province, prefecture or county. GB/T 2260 行政区划代码（省、市州或县）。
    RegionCode {
        max: 6,
        rule: "self.matches('^[1-8][0-9]{5}$')",
        message: "region: give the six digits of GB/T 2260, e.g. 532900, because rules compare codes by prefix. 区划代码：填写 GB/T 2260 的六位数字，例如 532900，规则按前缀比较代码。",
    }
    /// A unified social credit code. 统一社会信用代码。
    CreditCode {
        max: 18,
        rule: "self.matches('^[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$')",
        message: "unified social credit code: give 18 characters as in GB 32100 (digits and capitals without I, O, S, V, Z), because bodies are matched by it. 统一社会信用代码：按 GB 32100 填写 18 位（数字与大写字母，不含 I、O、S、V、Z），各单位以此对应。",
    }
    /// A digest of content, `sha256:` or `sm3:` and 64 hex digits. 内容摘要：`sha256:` 或 `sm3:` 加 64 位十六进制数字。
    ContentDigest {
        max: 71,
        rule: "self.matches('^(sha256|sm3):[0-9a-f]{64}$')",
        message: "digest: give sha256: or sm3: and 64 lower-case hex digits, because the original is checked against it. 摘要：填写 sha256: 或 sm3: 加 64 位小写十六进制数字，原件以此核对。",
    }
    /// The digest of an image or of one of its manifests, `sha256:` and 64 hex digits. 镜像或其清单的摘要：`sha256:` 加 64 位十六进制数字。
    ImageDigest {
        max: 71,
        rule: "self.matches('^sha256:[0-9a-f]{64}$')",
        message: "image digest: give sha256: and 64 lower-case hex digits, because a tag may change its content. 镜像摘要：填写 sha256: 加 64 位小写十六进制数字，标签指向的内容可能改变。",
    }
    /// An image reference, host and path, with or without tag or digest. 镜像引用：主机与路径，可带标签或摘要。
    ImageReference { max: 512, pattern: "^[A-Za-z0-9][A-Za-z0-9._:/@-]*$" }
    /// A host name with an optional port and path. 主机名，可带端口与路径。
    Host { max: 255, pattern: "^[A-Za-z0-9][A-Za-z0-9.:/_-]*$" }
    /// The key of a label or taint. 标签或污点的键。
    LabelKey { max: 317, pattern: "^([a-z0-9]([-.a-z0-9]*[a-z0-9])?/)?[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$" }
    /// The value of a label or taint. 标签或污点的值。
    LabelValue { max: 63, pattern: "^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$" }
    /// A path to a field of an object: JSON pointer, `*` for every item of a list. 对象中字段的路径：JSON pointer，`*` 表示列表的每一项。
    FieldPath { max: 256, pattern: "^(/[^/]+)+$" }
    /// A CEL expression. CEL 表达式。
    CelExpression { max: 1024 }
    /// `apiVersion` of a Kubernetes kind: `group/version`, or `v1`. Kubernetes 资源的 `apiVersion`：`组/版本`，或 `v1`。
    ApiVersion { max: 317, pattern: "^([a-z0-9]([-.a-z0-9]*[a-z0-9])?/)?v[a-z0-9]+$" }
    /// A Kubernetes kind. Kubernetes 资源类型。
    KindName { max: 63, pattern: "^[A-Z][A-Za-z0-9]*$" }
    /// Namespace and name of a workload. 工作负载的命名空间与名称。
    WorkloadName { max: 127, pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?/[a-z0-9]([-a-z0-9]*[a-z0-9])?$" }
    /// A place in the status of an object, e.g. `.status.checkpoints[0].path`. 对象 status 中的位置，例如 `.status.checkpoints[0].path`。
    StatusPath { max: 253, pattern: "^[.][A-Za-z0-9_-]+([.][A-Za-z0-9_-]+|\\[[0-9]{1,4}\\])*$",
        rule: "self.startsWith('.status.')",
        message: "jsonPath: begin with .status., because what a copy is told of the one before is what that one said of itself. jsonPath：须以 .status. 开头，新副本所得的是旧副本自身上报的状态。" }
    /// A value out of the status of an object. 取自对象 status 的值。
    StateText { max: 1024 }
    /// A country by ISO 3166-1, two capitals, e.g. CN. ISO 3166-1 国家代码，两位大写字母，例如 CN。
    CountryCode { max: 2, pattern: "^[A-Z]{2}$" }
}

/// Labels: at most 32 keys with values of at most 63 characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Labels(pub BTreeMap<String, String>);

impl Labels {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Deref for Labels {
    type Target = BTreeMap<String, String>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl JsonSchema for Labels {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Labels".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "Labels. 标签。",
            "maxProperties": 32,
            "additionalProperties": { "type": "string", "maxLength": 63, "description": "Value. 值。" },
        })
    }
}

/// Texts by name, usable in overrides: at most 64, each of at most 1,024 characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Values(pub BTreeMap<String, String>);

impl Values {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Deref for Values {
    type Target = BTreeMap<String, String>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl JsonSchema for Values {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Values".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "Texts by name. 按名称的文本。",
            "maxProperties": 64,
            "additionalProperties": { "type": "string", "maxLength": 1024, "description": "Text. 文本。" },
        })
    }
}

/// Amounts by resource name as Kubernetes writes them (`cpu`, `memory`, `huawei.com/Ascend910B`): at most 32.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Resources(pub BTreeMap<String, Quantity>);

impl Resources {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Deref for Resources {
    type Target = BTreeMap<String, Quantity>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl JsonSchema for Resources {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Resources".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "Amounts by resource name. 按资源名称的数量。",
            "maxProperties": 32,
            "additionalProperties": {
                "description": "A Kubernetes quantity, not negative. Kubernetes 数量，不为负。",
                "x-kubernetes-int-or-string": true,
                "anyOf": [{ "type": "integer" }, { "type": "string" }],
                "maxLength": 32,
                "pattern": "^([0-9]+|[0-9]*\\.[0-9]+)([eE][+-]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?$",
            },
        })
    }
}
