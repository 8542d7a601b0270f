//! The glossary: the API kinds and what they are called in each language. There is no other list of them.
//!
//! A key is the kind as manifests write it. [`Term::of_kind`] finds the entry of a kind read from a file; kinds that
//! are not ours (Deployment, Service) have none and are printed as they are.

use super::catalogue;

catalogue! {
    /// A kind of the API, under the name its users know.
    Term {
        Approval "Approval" "approval" "审批单",
        ChangeFreeze "ChangeFreeze" "change freeze" "封网期",
        CpuPlatform "CpuPlatform" "CPU platform" "芯片平台",
        Delivery "Delivery" "delivery" "下发单",
        Finding "Finding" "finding" "问题项",
        FleetPlacement "FleetPlacement" "fleet placement" "部署结果",
        FleetWorkload "FleetWorkload" "workload" "工作负载",
        ImageProfile "ImageProfile" "image profile" "镜像适配档案",
        InformationSystem "InformationSystem" "information system" "政务信息系统",
        KindProfile "KindProfile" "kind profile" "资源类型档案",
        MemberCluster "MemberCluster" "member cluster" "成员集群",
        Migration "Migration" "migration" "迁移任务",
        OperatingMode "OperatingMode" "operating mode" "平战模式",
        PlacementPolicy "PlacementPolicy" "placement policy" "部署策略",
        PriceBook "PriceBook" "price book" "价目表",
        Report "Report" "report" "报表",
        SecurityBaseline "SecurityBaseline" "security baseline" "安全基线",
        Site "Site" "site" "机房",
        SovereigntyTier "SovereigntyTier" "sovereignty tier" "主权等级",
        Tenant "Tenant" "tenant" "单位",
    }
}

impl Term {
    /// The entry of a kind as a manifest writes it.
    #[must_use]
    pub fn of_kind(kind: &str) -> Option<Self> {
        Self::of_key(kind)
    }
}
