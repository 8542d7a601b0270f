//! Why a run failed, in both languages. What is wrong with the input is a finding and not told here.
//!
//! Every failure this room notices itself is a variant. Errors of other rooms follow as their source; those are faults
//! of this build or of the machine, and their words are English in either language.

use std::io;

use jiff::Timestamp;
use jiff::civil::Date;
use jiuzhou_engine::decide::WorkloadKey;
use jiuzhou_engine::terms::Finding;
use jiuzhou_report::sentences;
use jiuzhou_report::words::Lang;

/// A failure of the face.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("failed to read {path}")]
    Read { path: String, source: io::Error },
    #[error("failed to read {path}")]
    NotAPlan { path: String, source: serde_json::Error },
    #[error("failed to read {path}: it has the form {found:?}, this program reads {wanted:?}")]
    Form { path: String, found: String, wanted: &'static str },
    #[error("failed to read {0}: it is no plan written by `plan --save`")]
    NoPlan(String),
    #[error("failed to write {path}")]
    Write { path: String, source: io::Error },
    #[error("failed to create {path}")]
    Create { path: String, source: io::Error },
    #[error("failed to write {0}: it exists already")]
    Exists(String),
    #[error(
        "failed to read the state {0}: it has FleetPlacements only, so the input is read a second time, which standard \
         input cannot be; write the input to a file"
    )]
    StateNeedsFile(String),
    #[error("failed to read the state {path}: {}", told(finding, Lang::En))]
    State { path: String, finding: Box<Finding> },
    #[error("failed to find {0} among the workloads that were decided")]
    Undecided(WorkloadKey),
    #[error("failed to find the workload {text:?}{}", near.tail(Lang::En))]
    NoWorkload { text: String, near: Near },
    #[error("failed to choose the workload {text:?}: several have this name: {}", names.join(", "))]
    ManyWorkloads { text: String, names: Vec<String> },
    #[error("failed to find the cluster {text:?}{}", near.tail(Lang::En))]
    NoCluster { text: String, near: Near },
    #[error("failed to choose what to adopt: give files, or --kubeconfig and --context of a running cluster, not both")]
    DumpOrCluster,
    #[error("failed to find the Migration {text:?}{}", near.tail(Lang::En))]
    NoMigration { text: String, near: Near },
    #[error("failed to find the story {text:?}: choose from {}", names.join(", "))]
    NoStory { text: String, names: Vec<String> },
    #[error("failed to suppose anything: name a Scenario of the input or give a change, e.g. --drain CLUSTER")]
    NothingSupposed,
    #[error("failed to choose a Scenario: the input has several, name one with --scenario: {}", names.join(", "))]
    ManyScenarios { names: Vec<String> },
    #[error("failed to find the Scenario {text:?}{}", near.tail(Lang::En))]
    NoScenario { text: String, near: Near },
    #[error(
        "failed to choose a Simulation: the input has several, name one with --simulation: {}", names.join(", ")
    )]
    ManySimulations { names: Vec<String> },
    #[error("failed to find the Simulation {text:?}{}", near.tail(Lang::En))]
    NoSimulation { text: String, near: Near },
    #[error("failed to use --{flag} {text:?}: want {wanted}")]
    Supposed { flag: &'static str, text: String, wanted: &'static str },
    #[error("failed to use --as-of: the year is outside the calendar")]
    AsOf,
    #[error("failed to use --month {0:?}: want 2026-10, 2026-Q4, 2026 or 2026-07/2026-12")]
    Month(String),
    #[error("failed to use --invoice or --deductions: only `report settlement` compares with papers")]
    PapersElsewhere,
    #[error("failed to read {path}: it is larger than {mib} MiB")]
    TooLarge { path: String, mib: usize },
    #[error("failed to find the report {0:?}: want NAME of a ClusterReport or NAMESPACE/NAME of a Report of the input")]
    ReportMissing(String),
    #[error("failed to make the report {name:?}: it asks for {kind}")]
    ReportOfOtherType { name: String, kind: String },
    #[error("failed to make the report {name:?}: {}", problem(asked, Lang::En))]
    Asked { name: String, asked: jiuzhou_intake::figures::Problem },
    #[error("failed to report {from}/{until}: by {as_of} no month of it has ended")]
    PeriodOpen { from: Date, until: Date, as_of: Timestamp },
    #[error("failed to report {month}: it has not ended by {as_of}; name an earlier --month or a later --as-of")]
    MonthOpen { month: String, as_of: Timestamp },
    #[error("want a day like 2026-11-23 or an instant like 2026-11-23T08:00:00+08:00")]
    Day,
    #[error("want a day before 9999-12-31, whose end can be told")]
    LastDay,
    #[error("no format '{name}': choose from {}", known.join(", "))]
    Format { name: String, known: Vec<&'static str> },
    #[error("no file after '{0}='")]
    NoFile(String),
    #[error(
        "failed to write two results to {}: give each format a file of its own, as in {name}=FILE",
        place(file, Lang::En)
    )]
    OnePlace { name: &'static str, file: Option<String> },
    #[error("{0} is no text: write it to a file with '{0}=FILE'")]
    NeedsFile(String),
    #[error("want at most 63 lower-case letters, digits and '-', with a letter or digit at both ends")]
    Name,
    #[error("want a digest like sha256:HEX")]
    Digest,
    #[error("failed to read the image {0:?}: want HOST/PATH:TAG")]
    Image(String),
    #[error("failed to name several images: --image-name and --digest are for one image")]
    OneImage,
    #[error(
        "failed to write the profile of {0}: a profile is found by name and digest; give what is missing with \
         --image-name and --digest"
    )]
    NoProfile(String),
    #[error("failed to write the profile of {0}: it has more platforms than a profile holds")]
    ProfileTooLarge(String),
    #[error("failed to import clusters: --site must name the machine room they stand in, which no other system knows")]
    SiteWanted,
}

/// What a name that was not found may have meant.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Near {
    /// This one is like it.
    One(String),
    /// There is none at all.
    Empty,
    /// None is like it; these are some of those there are, and whether there are more.
    Some(Vec<String>, bool),
}

impl Near {
    fn tail(&self, lang: Lang) -> String {
        match (self, lang) {
            (Self::One(name), Lang::En) => format!("; did you mean {name:?}?"),
            (Self::One(name), Lang::Zh) => format!("；是否指 {name:?}？"),
            (Self::Empty, Lang::En) => "; the input has none".to_owned(),
            (Self::Empty, Lang::Zh) => "；输入中一个也没有".to_owned(),
            (Self::Some(names, more), Lang::En) => {
                format!("; there are: {}{}", names.join(", "), if *more { ", …" } else { "" })
            }
            (Self::Some(names, more), Lang::Zh) => {
                format!("；现有：{}{}", names.join("、"), if *more { "……" } else { "" })
            }
        }
    }
}

/// Where a result goes.
fn place(file: &Option<String>, lang: Lang) -> String {
    match (file, lang) {
        (Some(file), Lang::En) => file.clone(),
        (Some(file), Lang::Zh) => format!(" {file} "),
        (None, Lang::En) => "standard output".to_owned(),
        (None, Lang::Zh) => "标准输出".to_owned(),
    }
}

fn told(finding: &Finding, lang: Lang) -> String {
    sentences::render(&finding.reason, finding.subject.as_ref(), lang)
}

/// What keeps a report from being made, as its condition on a hub says it.
fn problem(asked: &jiuzhou_intake::figures::Problem, lang: Lang) -> String {
    let (reason, object) = asked.told();
    sentences::condition(reason.as_str(), &object, 0, 0, lang).unwrap_or_else(|| asked.to_string())
}

impl Failure {
    fn zh(&self) -> String {
        match self {
            Self::Read { path, .. } | Self::NotAPlan { path, .. } => format!("无法读取 {path}"),
            Self::Form { path, found, wanted } => {
                format!("无法读取 {path}：其格式为 {found:?}，本程序只能读取 {wanted:?}")
            }
            Self::NoPlan(path) => format!("无法读取 {path}：它不是 `plan --save` 写出的方案"),
            Self::Write { path, .. } => format!("无法写入 {path}"),
            Self::Create { path, .. } => format!("无法创建 {path}"),
            Self::Exists(path) => format!("无法写入 {path}：它已存在"),
            Self::StateNeedsFile(path) => {
                format!(
                    "无法读取现状 {path}：其中只有 FleetPlacement，需要再读一遍输入，而标准输入只能读一次；请把输入写成文件"
                )
            }
            Self::State { path, finding } => format!("无法读取现状 {path}：{}", told(finding, Lang::Zh)),
            Self::Undecided(key) => format!("在已决策的工作负载中找不到 {key}"),
            Self::NoWorkload { text, near } => format!("找不到工作负载 {text:?}{}", near.tail(Lang::Zh)),
            Self::ManyWorkloads { text, names } => {
                format!("无法确定工作负载 {text:?}：有多个同名者：{}", names.join("、"))
            }
            Self::NoCluster { text, near } => format!("找不到集群 {text:?}{}", near.tail(Lang::Zh)),
            Self::DumpOrCluster => {
                "无法确定接管对象：请给出文件，或给出运行中集群的 --kubeconfig 与 --context，不可兼用".to_owned()
            }
            Self::NoMigration { text, near } => format!("找不到迁移任务 {text:?}{}", near.tail(Lang::Zh)),
            Self::NoStory { text, names } => format!("找不到故事 {text:?}：请选择 {}", names.join("、")),
            Self::NothingSupposed => {
                "未假设任何变更：请指明输入中的 Scenario，或给出变更，例如 --drain 集群".to_owned()
            }
            Self::ManyScenarios { names } => {
                format!("输入中有多个 Scenario，请用 --scenario 指明其一：{}", names.join("、"))
            }
            Self::NoScenario { text, near } => format!("找不到 Scenario {text:?}{}", near.tail(Lang::Zh)),
            Self::ManySimulations { names } => {
                format!("输入中有多个 Simulation，请用 --simulation 指明其一：{}", names.join("、"))
            }
            Self::NoSimulation { text, near } => format!("找不到 Simulation {text:?}{}", near.tail(Lang::Zh)),
            Self::Supposed { flag, text, wanted } => format!("无法使用 --{flag} {text:?}：应写作 {wanted}"),
            Self::AsOf => "无法使用 --as-of：年份超出日历范围".to_owned(),
            Self::Month(text) => {
                format!("无法使用 --month {text:?}：应为 2026-10、2026-Q4、2026 或 2026-07/2026-12")
            }
            Self::PapersElsewhere => {
                "无法使用 --invoice 或 --deductions：只有 `report settlement` 与账单核对".to_owned()
            }
            Self::TooLarge { path, mib } => format!("无法读取 {path}：超过 {mib} MiB"),
            Self::ReportMissing(name) => {
                format!("找不到报表 {name:?}：应为输入中 ClusterReport 的名称，或 Report 的“命名空间/名称”")
            }
            Self::ReportOfOtherType { name, kind } => format!("无法生成报表 {name:?}：其类型为 {kind}"),
            Self::Asked { name, asked } => format!("无法生成报表 {name:?}：{}", problem(asked, Lang::Zh)),
            Self::PeriodOpen { from, until, as_of } => {
                format!("无法生成 {from}/{until} 的报表：截至 {as_of} 其中尚无结束的月份")
            }
            Self::MonthOpen { month, as_of } => {
                format!("无法生成 {month} 的报表：截至 {as_of} 该月尚未结束；请指定更早的 --month 或更晚的 --as-of")
            }
            Self::Day => "应为 2026-11-23 这样的日期，或 2026-11-23T08:00:00+08:00 这样的时刻".to_owned(),
            Self::LastDay => "应为 9999-12-31 之前的日期，否则无法表示该日结束的时刻".to_owned(),
            Self::Format { name, known } => format!("没有格式 '{name}'：请选择 {}", known.join("、")),
            Self::NoFile(name) => format!("'{name}=' 之后缺少文件名"),
            Self::OnePlace { name, file } => {
                format!("无法把两份结果写到{}：请为每种格式各指定一个文件，例如 {name}=文件", place(file, Lang::Zh))
            }
            Self::NeedsFile(name) => format!("{name} 不是文本，请用 '{name}=文件' 写入文件"),
            Self::Digest => "应为 sha256:十六进制 形式的摘要".to_owned(),
            Self::Image(text) => format!("无法读取镜像名 {text:?}：应为 主机/路径:标签"),
            Self::OneImage => "--image-name 与 --digest 只能用于单个镜像，而输入中有多个".to_owned(),
            Self::NoProfile(label) => {
                format!("无法写出 {label} 的档案：档案按镜像名与摘要查找，请用 --image-name 与 --digest 补齐")
            }
            Self::SiteWanted => "无法导入集群：须以 --site 指明其所在机房，其他系统中没有该信息".to_owned(),
            Self::ProfileTooLarge(label) => format!("无法写出 {label} 的档案：平台数超出档案上限"),
            Self::Name => "至多 63 个小写字母、数字与 '-'，首尾须为字母或数字".to_owned(),
        }
    }

    /// Whether the command line is what is wrong: a value of another form, or a choice that it leaves open.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Supposed { .. }
                | Self::NothingSupposed
                | Self::ManyScenarios { .. }
                | Self::ManySimulations { .. }
                | Self::ManyWorkloads { .. }
                | Self::Month(_)
                | Self::AsOf
                | Self::PapersElsewhere
                | Self::DumpOrCluster
                | Self::OneImage
                | Self::SiteWanted
                | Self::StateNeedsFile(_)
                | Self::OnePlace { .. }
        )
    }

    /// The failure in a language, without its source.
    pub(crate) fn text(&self, lang: Lang) -> String {
        match lang {
            Lang::En => self.to_string(),
            Lang::Zh => self.zh(),
        }
    }
}

/// The line that ends a failed run: the failure, then what caused it.
pub(crate) fn line(error: &anyhow::Error, lang: Lang) -> String {
    let cause = |cause: &(dyn std::error::Error + 'static)| {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return failure.text(lang);
        }
        let io = cause.downcast_ref::<io::Error>().map(|error| io_text(error, lang));
        io.unwrap_or_else(|| cause.to_string())
    };
    let causes: Vec<String> = error.chain().map(cause).collect();
    match lang {
        Lang::En => format!("jiuzhou: {}", causes.join(": ")),
        Lang::Zh => format!("jiuzhou：{}", causes.join("：")),
    }
}

/// What the machine says, with its number where Chinese words for it are not known here.
fn io_text(error: &io::Error, lang: Lang) -> String {
    let zh = match error.kind() {
        io::ErrorKind::NotFound => "没有该文件或目录",
        io::ErrorKind::PermissionDenied => "权限不足",
        io::ErrorKind::AlreadyExists => "已存在",
        io::ErrorKind::IsADirectory => "它是目录",
        io::ErrorKind::NotADirectory => "路径中有一段不是目录",
        io::ErrorKind::StorageFull => "磁盘已满",
        io::ErrorKind::ReadOnlyFilesystem => "文件系统只读",
        io::ErrorKind::InvalidData => "内容不是有效数据",
        _ => return error.to_string(),
    };
    match lang {
        Lang::En => error.to_string(),
        Lang::Zh => zh.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_with_its_cause_in_the_language_asked_for() {
        let failure = |kind: io::ErrorKind| Failure::Read { path: "方案.json".to_owned(), source: kind.into() };
        let error = anyhow::Error::from(failure(io::ErrorKind::NotFound));
        assert_eq!(line(&error, Lang::Zh), "jiuzhou：无法读取 方案.json：没有该文件或目录");
        assert_eq!(line(&error, Lang::En), "jiuzhou: failed to read 方案.json: entity not found");
    }

    #[test]
    fn a_name_that_was_not_found_is_told_with_what_it_may_have_meant() {
        let near = Failure::NoCluster { text: "dali".to_owned(), near: Near::One("dali-1".to_owned()) };
        assert_eq!(near.text(Lang::Zh), "找不到集群 \"dali\"；是否指 \"dali-1\"？");
        let none = Failure::NoCluster { text: "dali".to_owned(), near: Near::Empty };
        assert_eq!(none.text(Lang::En), "failed to find the cluster \"dali\"; the input has none");
    }
}
