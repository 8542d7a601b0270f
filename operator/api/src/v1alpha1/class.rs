//! Words that several kinds share: data class, sovereignty stage and dimension, replica-free enumerations.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Class of data by GB/T 43697-2024; classified (涉密) data has no value here on purpose. 按 GB/T 43697-2024 的数据分级；涉密数据有意不设取值。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DataClass {
    /// General data. 一般数据。
    #[default]
    General,
    /// Important data. 重要数据。
    Important,
    /// Core data. 核心数据。
    Core,
}

/// A CEL rule instead of an `enum`, because a refused 涉密 system must be told why and what to do.
impl JsonSchema for DataClass {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "DataClass".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema = json_schema!({
            "type": "string",
            "description": "Core, Important or General. 核心、重要或一般：Core、Important、General。",
            "maxLength": 32,
        });
        crate::schema::add_rule(
            &mut schema,
            "self in ['General', 'Important', 'Core']",
            "data class: choose General, Important or Core; a classified (涉密) system must not be entered here in any form, because this control plane runs on a non-classified network: remove it and keep it in its own register. 数据级别：选择 General（一般）、Important（重要）或 Core（核心）；涉密系统不得以任何形式录入，本平台运行于非涉密网络：请删除，并在其专门台账中管理。",
        );
        schema
    }
}

/// Stage of sovereignty, white paper figure 23, in order. 数字主权阶段（白皮书图 23），依次递进。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum SovereigntyStage {
    /// No stage reached. 未达到任何阶段。
    #[default]
    None,
    /// 自控. 自控。
    SelfDetermination,
    /// 自足. 自足。
    SelfSufficiency,
    /// 自生. 自生。
    Survivability,
}

/// Dimension of sovereignty, white paper figure 23. 数字主权维度（白皮书图 23）。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Dimension {
    /// Where data is and who holds the keys. 数据主权。
    #[default]
    Data,
    /// Whether technology can be exchanged. 技术主权。
    Technical,
    /// Who operates. 运营主权。
    Operational,
    /// Whether service goes on. 业务可用主权。
    Availability,
    /// Where parts come from. 供应链主权。
    SupplyChain,
    /// What other states can do. 地缘主权。
    Geopolitical,
}

/// One of the seven functions of government, white paper figure 11. 政府七大职能（白皮书图 11）。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum FunctionDomain {
    /// Economic regulation. 经济调节。
    EconomicRegulation,
    /// Market supervision. 市场监管。
    MarketSupervision,
    /// Social management. 社会管理。
    SocialManagement,
    /// Public service. 公共服务。
    #[default]
    PublicService,
    /// Environmental protection. 环境保护。
    EnvironmentalProtection,
    /// Government operation. 政务运行。
    GovernmentOperation,
    /// Disclosure of government affairs. 政务公开。
    GovernmentDisclosure,
}

/// Whom a system serves. 履职类型。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum DutyKind {
    /// Inward management. 对内管理。
    #[default]
    InwardManagement,
    /// Outward service. 对外服务。
    OutwardService,
    /// Supervision. 业务监管。
    Supervision,
}

/// How important a business is. 业务重要程度。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum BusinessLevel {
    /// Ordinary business. 一般业务。
    #[default]
    Ordinary,
    /// Important business. 重要业务。
    Important,
    /// Core business. 核心业务。
    Core,
}

/// Whether something must or should hold. 必须或尽量满足。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Strength {
    /// It must hold, else nothing is placed. 必须满足，否则不部署。
    #[default]
    Required,
    /// It should hold; missing it is reported. 尽量满足，未满足时报告。
    Preferred,
}

/// Trusted execution environment. 可信执行环境。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Tee {
    /// Intel SGX. 英特尔 SGX。
    #[default]
    Sgx,
    /// Intel TDX. 英特尔 TDX。
    Tdx,
    /// AMD SEV, SEV-ES or SEV-SNP. AMD SEV 系列。
    Sev,
    /// Hygon CSV. 海光 CSV。
    Csv,
    /// Kunpeng virtCCA. 鲲鹏 virtCCA。
    VirtCca,
    /// Arm TrustZone. Arm TrustZone。
    TrustZone,
}

/// Commercial cryptography of GB/T 32918, 32905, 32907. 国密算法。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum SmAlgorithm {
    /// Public key. 公钥密码 SM2。
    #[default]
    Sm2,
    /// Hash. 杂凑 SM3。
    Sm3,
    /// Block cipher. 分组密码 SM4。
    Sm4,
}
