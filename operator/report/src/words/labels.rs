//! Labels, headings, states and notes, in alphabetical groups: titles, states, headings of columns, figures, notes.
//!
//! A label is short and has no full stop; a note is a full sentence.

use super::catalogue;

catalogue! {
    /// A label, heading, state or note of ours.
    Word {
        // Titles of documents.
        TitleAdoption "titleAdoption" "Cloud adoption" "上云情况",
        TitleEnergy "titleEnergy" "Energy and emissions" "能耗与碳排放",
        TitleExplain "titleExplain" "Placement explained" "部署决策说明",
        TitleInventory "titleInventory" "Cluster inventory" "集群资源清单",
        TitlePlan "titlePlan" "Placement plan" "部署计划",
        TitleReplay "titleReplay" "Decision replayed" "决策复算",
        TitleValidate "titleValidate" "Validation" "校验结果",

        // States.
        None "none" "none" "无",
        NotApplicable "notApplicable" "n/a" "不适用",
        StatusOk "ok" "ok" "正常",
        StatusPending "pending" "pending" "等待",
        StatusRefused "refused" "refused" "拒绝",
        StatusUnknown "unknown" "unknown" "未知",
        StatusViolating "violating" "violating" "违规",
        StatusWarn "warning" "warning" "警告",
        SeverityError "error" "error" "错误",
        SeverityInfo "info" "info" "提示",
        SeverityWarning "severityWarning" "warning" "警告",
        Unknown "unknownValue" "unknown" "未知",

        // Headings of tables.
        SectionClusters "clusters" "Clusters" "集群",
        SectionFindings "findings" "Findings" "问题项",
        SectionPlatforms "platforms" "CPU platforms" "芯片平台",
        SectionPools "pools" "Node pools" "节点池",

        // Columns and figures.
        AbiWorld "abiWorld" "ABI" "ABI",
        AsOf "asOf" "As of" "数据时点",
        Cluster "cluster" "Cluster" "集群",
        Code "code" "Code" "代码",
        Confidence "confidence" "Confidence" "可信度",
        Cpu "cpu" "CPU" "CPU",
        EngineVersion "engineVersion" "Engine" "引擎版本",
        Errors "errors" "Errors" "错误",
        Features "features" "CPU features" "指令集特性",
        File "file" "File" "文件",
        Files "files" "Files" "文件",
        Fix "fix" "Fix" "修正",
        FormatVersion "formatVersion" "Format" "格式版本",
        Headline "headline" "Key figures" "关键指标",
        Infos "infos" "Notes" "提示",
        InputDigest "inputDigest" "Input digest" "输入摘要",
        Memory "memory" "Memory" "内存",
        Message "message" "Message" "说明",
        Nodes "nodes" "Nodes" "节点数",
        NodesKnown "nodesKnown" "Nodes with known platform" "平台已识别节点",
        Notes "notes" "Notes" "说明",
        Object "object" "Object" "对象",
        Objects "objects" "Objects" "对象数",
        PageSize "pageSize" "Page size" "页大小",
        Place "place" "Place" "位置",
        Platform "platform" "Platform" "芯片平台",
        Pool "pool" "Pool" "节点池",
        Pue "pue" "PUE" "PUE",
        Status "status" "Status" "状态",
        Warnings "warnings" "Warnings" "警告",
        Share "share" "Share" "占比",
        Zone "zone" "Zone" "网络区域",

        // Notes.
        NoteUnknown "noteUnknown" "Unknown means that no evidence was given; it is never counted as zero." "“未知”表示没有证据，任何时候都不按零计算。",
    }
}
