//! The Chinese help: one text per command, flag and heading, keyed by the ids of `args.rs`.
//!
//! clap cannot translate, so the command tree is rewritten before it parses. A test walks the whole tree and fails for
//! an id without a text here, so a new flag cannot ship in one language only.

use clap::{Arg, ArgAction, Command};

/// Texts of commands: name, text.
const COMMANDS: &[(&str, &str)] = &[
    ("jiuzhou", "按芯片架构与主权等级决定政务云工作负载的部署位置，并说明理由。"),
    ("plan", "为全部工作负载做出部署决策，并显示将发生的变更"),
    ("explain", "逐集群、逐规则说明某个工作负载为何部署在此处"),
    ("replay", "用保存的输入重新决策，并逐字节比对"),
    ("validate", "检查文件：语法、结构、规则、引用"),
    ("whatif", "假设若干变更，说明其后果：迁移、违规、费用、碳排放与涉及的单位"),
    ("consolidate", "说明在各项规则之内可腾空哪些集群与节点，以及节省多少"),
    ("simulate", "按日推进：到达、伸缩、故障、价格与到期事项，说明可用率、费用与碳排放的变化"),
    ("migrate", "说明迁移任务将按何顺序进行、受阻于何处，或已进行到哪一步"),
    ("test", "把决策与 PlacementTest 的预期比对，并说明覆盖情况"),
    ("inventory", "读取 `kubectl get nodes -o yaml`，识别各节点的芯片"),
    ("inspect", "检查镜像，说明各平台的需求：指令集、页大小、加载器、ABI 世界"),
    ("find", "查找运行某镜像、含某软件包或受某漏洞影响的工作负载"),
    ("wrap", "把普通清单（或 Helm 后渲染器的输入）转换为 FleetWorkload"),
    (
        "import",
        "把 Karmada、OCM、ClusterProfile 或 kubeconfig 中的集群与策略，以及 CSV 格式的政务信息系统清单，转换为本平台的对象",
    ),
    ("adopt", "原样接管运行中集群的命名空间：根据导出内容，或直接读取该集群"),
    ("export", "把决策结果写成其他系统的格式"),
    ("report", "上云率、能耗、结算、评估指数、数字主权与信创迁移就绪度报表"),
    ("demo", "用内置的示例省份演示全部功能：无需集群，无需网络"),
    ("crds", "输出 CustomResourceDefinition"),
    ("operator", "在中心集群上运行：决策、下发、观测、出报表（需以 `hub` 特性构建）"),
    ("agent", "在中心不可达的成员中运行：取指令、执行、上报（需以 `agent` 特性构建）"),
    ("join", "使一个集群成为成员（需以 `hub` 特性构建）"),
    ("drain", "清空一个成员中可迁移的负载（需以 `hub` 特性构建）"),
    ("fence", "确认无应答成员中已无任何内容运行，使只能运行一份的工作负载得以在别处启动（需以 `hub` 特性构建）"),
    ("recover", "中心或成员自备份恢复后继续运行，或由备用中心接替（需以 `hub` 特性构建）"),
    ("failover", "使工作负载不待轮次即可离开无应答的成员（需以 `hub` 特性构建）"),
    ("rebalance", "下令按全部规则重新部署一个工作负载，视同其尚未运行（需以 `hub` 特性构建）"),
    ("reuse-data", "确认工作负载留在某集群的旧数据可再次使用（需以 `hub` 特性构建）"),
    ("leave", "在无遗留对象后让一个成员退出（需以 `hub` 特性构建）"),
    ("rollout", "工作负载变更的发布：进度、历史、暂停、恢复、批准（需以 `hub` 特性构建）"),
    ("rollback", "把工作负载回退到较早的版本（需以 `hub` 特性构建）"),
    ("approve", "核对他人的指令并予以审批，仅对该指令有效（需以 `hub` 特性构建）"),
    ("stop", "下令停用一个政务信息系统，经他人审批后在各处执行；对象与数据卷保留（需以 `hub` 特性构建）"),
    ("restore", "解除系统的停用令，在原处恢复运行（需以 `hub` 特性构建）"),
    ("export-state", "导出中心的现状与全部决策记录，供 `plan` 与 `replay` 使用（需以 `hub` 特性构建）"),
    ("help", "解释原因代码、退出码或输出格式"),
    ("completion", "输出 shell 补全脚本"),
    ("man", "生成 man 手册页"),
];

/// Texts of flags and arguments: id, text. An id means the same in every command.
const ARGS: &[(&str, &str)] = &[
    ("abandon", "虽有遗留对象（将保留并继续运行）仍让其退出：重复填写其名称"),
    ("adopt_cluster", "所读取的成员集群：工作负载保留在该集群"),
    ("adopt_kubeconfig", "读取该 kubeconfig 的运行中集群而非导出内容；不向其写入任何内容（需以 `hub` 特性构建）"),
    ("adopt_context", "kubeconfig 的上下文：读取其运行中集群而非导出内容"),
    ("adopt_namespaces", "仅处理该命名空间；可重复 [默认：除集群自身之外的全部]"),
    ("action", "要执行的操作：status 进度、history 历史、pause 暂停、resume 恢复、approve 批准"),
    ("against", "与该已保存的方案或现状文件比较"),
    ("agent_kubeconfig", "成员集群的 kubeconfig [默认：Pod 的服务账号]"),
    ("all", "也列出通过的规则"),
    (
        "approved",
        "审批的内容：stop 停用令，deletions 被暂停的删除，mode 战时模式，class 降低数据级别，exemption 豁免上云，quota 提高配额，tier 变更主权等级，moves 大量迁移",
    ),
    ("approved_digest", "所示指令的摘要；未填写时只显示指令，不予审批"),
    ("document", "依据文件的文号"),
    ("assets", "政务信息系统的资产清单，UTF-8 编码的 CSV：虚拟机、物理机、数据库、中间件"),
    ("register", "政务信息系统清单，UTF-8 编码的 CSV，每行一个系统；路径给出已有对象，例如各单位"),
    ("as_of", "决策时点：日期（北京时间，当日结束）或时刻，例如 2026-11-23 或 2026-11-23T08:00:00+08:00 [默认：现在]"),
    ("ascii", "仅用 ASCII 字符显示标记与边框"),
    ("audit", "审计日志目录：每个中心一份，须位于独立于 Pod 的存储卷"),
    ("bootstrap_token", "用于首次申请证书的令牌文件"),
    ("close", "关闭某集群通往某对端（或全部对端）的防火墙；可重复"),
    ("by", "批准人或确认人"),
    ("change", "变更的摘要，见 `rollout status`"),
    ("cluster", "集群名称"),
    ("color", "何时着色；为 auto 时遵循 NO_COLOR、CLICOLOR_FORCE 与 FORCE_COLOR"),
    ("promote", "以本中心接替已失效的另一中心，接管其成员"),
    ("former", "所接替中心的标识；仅在成员未能唯一记录时填写"),
    ("rebalance", "按 `jiuzhou rebalance` 的方式重新部署该工作负载：名称 或 命名空间/名称；可重复"),
    ("rebalance_at", "不早于该时刻，或该日（北京时间）结束时 [默认：立即]"),
    ("withdraw", "撤销等待执行的指令"),
    ("recovered", "已核对所示内容：重复填写所示的值（轮次、中心标识或成员名称）；不填则只显示、不执行"),
    ("confirm", "已确认该集群中没有任何内容运行（已断电，或已与其所写数据隔离）：重复填写其名称"),
    ("consent", "把供该集群管理员执行的同意接管命令写入该文件"),
    ("context", "kubeconfig 中的上下文"),
    ("credential_hours", "凭据有效期（小时）；剩余一周以上即由 operator 续期"),
    ("cve", "镜像受该漏洞影响（据 SBOM 或漏洞清单）的工作负载，例如 CVE-2021-44228"),
    ("container_command", "按工作负载实际运行的命令检查，替代镜像自带的命令；每个词写一次"),
    ("digest", "镜像在仓库中的摘要，用于归档中没有摘要的情形"),
    ("dedicated_hub", "中心集群为专用：不运行任何工作负载控制器，因此可用 `select` 选择原生对象"),
    ("deductions", "结算单：扣减清单，UTF-8 编码的 CSV，列与账单相同，每行须有扣减原因"),
    ("days", "仿真的天数 [默认：取自 Simulation，否则为 30]"),
    ("detailed_exitcode", "方案有变更时以 2 退出"),
    ("dir", "每个种类写成该目录下的一个文件，而不输出到终端"),
    ("document", "下令文件的文号"),
    ("drain", "清空该集群中可迁移的负载；可重复"),
    ("dry_run", "输出将在成员中执行的内容，供其管理员审阅，不做任何操作"),
    ("emergency", "对某单位（或全部单位）启用战时模式；可重复"),
    ("expire", "使集群的某项证据、某份报告或全部证据到期；可重复"),
    ("export_form", "目标系统的格式"),
    ("fail_on", "问题项达到该级别时以非零码退出"),
    ("fail_when", "假设的变更导致其中任何一种后果时以 3 退出"),
    ("filenames", "同上，与 kubectl 的写法一致；可重复"),
    ("migrate_action", "plan：将按何顺序进行、各关口所需与受阻之处；status：按已写入的状态说明各批次进展"),
    ("migrate_name", "仅此名称的迁移任务：名称，或 命名空间/名称"),
    ("find_image", "运行该镜像的工作负载：镜像名，可带标签或摘要，可用 `*` 代替任意部分"),
    ("form", "云形态"),
    ("from", "所离开的成员"),
    ("from_hub", "不读文件，改读中心上由其他集群管理系统发布、且尚非成员的 ClusterProfile（需以 `hub` 特性构建）"),
    ("grid_factor", "某机房的电网排放因子（毫克 CO2/千瓦时）；可重复"),
    ("heartbeat_seconds", "两次心跳的间隔（秒）"),
    ("help", "显示帮助"),
    ("http_proxy", "代理出站所经的 HTTP 代理，http://host:port"),
    ("hub_ca", "中心证书颁发机构（PEM）文件"),
    ("hub_context", "中心 kubeconfig 中的上下文"),
    ("hub_kubeconfig", "中心集群的 kubeconfig [默认：KUBECONFIG 或 ~/.kube/config]"),
    ("hub_server", "中心 API 服务器的地址"),
    ("image", "代理的镜像"),
    ("image_name", "镜像名，用于来源中没有名称的情形：主机/路径[:标签]"),
    (
        "images",
        "OCI 布局目录、`docker save` 或 `skopeo copy oci-archive:` 的归档、`-`（标准输入中的归档），或仓库中的镜像（需以 `inspect` 特性构建）",
    ),
    ("import_site", "各集群所在机房；输入含集群时必填"),
    ("inputs_days", "决策输入为重放而保留的天数；决策已提交这一事实永久保留"),
    ("inputs_mib", "全部决策输入占用的上限（MiB）；最旧的先删除"),
    ("invoice", "结算单：用于核对的服务商账单，UTF-8 编码的 CSV，须有账期、服务商、金额列，可有单位、系统、目录编码列"),
    ("kind", "报表种类"),
    ("kubeconfig", "中心集群的 kubeconfig [默认：KUBECONFIG、~/.kube/config，或 Pod 的服务账号]"),
    ("lang", "文字语言：zh 或 en [默认：取自 LC_ALL、LC_MESSAGES 或 LANG，否则为 en]"),
    ("leader_election", "执行写入前须持有租约；仅在确保只运行一个实例时关闭"),
    ("list", "列出全部故事"),
    ("listen", "/healthz、/readyz 与 /metrics 的监听地址"),
    ("log", "日志格式"),
    ("lose", "失去该集群及其上的全部负载；可重复"),
    ("manifests", "供成员管理员执行的新文件；其中含令牌，仅本人可读"),
    ("max_bytes", "Markdown：超出该字节数即截断，摘要在前"),
    ("member_context", "成员 kubeconfig 中的上下文"),
    ("member_kubeconfig", "成员管理员的 kubeconfig；只用一次，不保存"),
    ("merge", "将一个单位并入另一个；可重复"),
    ("mirror", "改向另一仓库读取：主机=替代主机[/前缀]；可重复"),
    ("month", "北京时间的月份：2026-10、2026-Q4、2026、2026-07/2026-12 [默认：截至 --as-of 最近一个完整月份]"),
    ("name", "全部放入一个以此命名的 FleetWorkload"),
    ("namespace", "命名空间"),
    ("order", "停用令文号，按文件原文填写"),
    ("orders_hold_minutes", "与中心失联超过该分钟数后，其指令不再启动任何新内容；运行中的保持不变"),
    ("on", "假设状态的判定时点：日期或时刻，例如查看届时到期的内容"),
    ("only", "仅运行名称包含该文字的测试与用例"),
    ("otlp", "把决策的链路追踪发送到该 OTLP 采集器，http://主机:端口 [默认：OTEL_EXPORTER_OTLP_ENDPOINT，否则不发送]"),
    ("out", "写入的目录"),
    ("page", "命令，按其全部单词书写；省略则为程序本身的手册页。输出到管道时为 `man -l -` 可读的格式"),
    ("outputs", "输出格式，或 格式=文件；可重复，一次运行得到多种输出"),
    ("ownership", "所有权"),
    ("package", "镜像含该软件包的工作负载：名称 或 名称@版本，可用 `*` 代替任意部分"),
    ("paths", "YAML 或 JSON 文件或目录；`-` 表示标准输入"),
    ("placement_policy", "工作负载引用的部署策略"),
    ("placements", "把该方案要提交的 FleetPlacement 写入该 YAML 文件，可供 `--against` 读取"),
    ("plain_http", "以不加密的 HTTP 访问仓库；访问本机时总是如此"),
    ("plan", "由 `plan --save` 写出的方案"),
    ("profiles", "把检查所得写成 ImageProfile 存入该 YAML 文件；`-` 表示标准输出，此时不输出报表"),
    ("pull", "中心无法访问该成员：由其中的代理取指令；须同时给出 --manifests"),
    ("quiet", "除结果外不输出任何内容"),
    ("real", "说明如何在本机的真实控制面上试用：一个中心和多种芯片的成员集群"),
    ("replicas", "把工作负载的期望副本数改为该值；可重复"),
    ("reason", "原因"),
    ("needed", "所需批准人数"),
    ("requester", "申请人，用于中心无从得知的情形（删除）"),
    ("role", "批准人的角色，例如 分管局长"),
    ("region", "单位所属的 GB/T 2260 区划代码；填写后才输出 Tenant"),
    ("registry_config", "Docker 格式的仓库凭据文件 [默认：DOCKER_CONFIG 或 ~/.docker/config.json]"),
    ("report", "按输入中的 ClusterReport（名称）或 Report（命名空间/名称）所要求的日期与范围生成"),
    ("require_match", "没有任何待部署的工作负载时以 3 退出（空渲染不得放行）"),
    ("require_tests", "没有测试，或有部署策略、所要求的主权等级没有用例时以 3 退出"),
    ("save", "把方案连同输入及其摘要写入该文件"),
    ("scenario", "要推演的 Scenario 名称；输入中有多个时必填"),
    (
        "sbom",
        "inspect：把软件包以 CycloneDX（JSON）写入该文件；find：读取 SBOM 或漏洞清单（CycloneDX、SPDX 的 JSON，或其目录），可重复",
    ),
    ("seed", "随机种子：种子相同，报表即相同 [默认：取自 Simulation，否则为 1]"),
    ("simulation", "要运行的 Simulation 名称；输入中有多个时必填 [默认：唯一的一个，否则仅集群随机故障]"),
    ("server", "中心访问成员 API 服务器所用地址 [默认：kubeconfig 中的地址]"),
    ("shell", "shell 种类"),
    ("site", "所在机房"),
    ("stage", "变更可越过的阶段"),
    (
        "stage_rule",
        "评估指数：人口、地区生产总值、高校数量、信息化基础的分级如何合并：lowest 取最低，majority 取多数（并列取低）",
    ),
    ("statement", "批准意见；如有文号须注明"),
    ("story", "要演示的故事"),
    ("strict", "把警告视为错误，并把未知（未声明的指令集、未核验的证据）视为拒绝"),
    ("stopped_system", "政务信息系统：名称 或 命名空间/名称"),
    ("system", "工作负载所属的政务信息系统"),
    ("tenant", "命名空间所属单位"),
    ("tenant_title", "单位的显示名称"),
    ("tenants", "中心可在该成员中代表的单位；以逗号分隔 [默认：中心的全部单位]"),
    ("to", "要回退到的版本 [默认：上一版本]"),
    ("topic", "命令名、原因代码、`codes`、`exit-codes` 或 `formats`"),
    ("subject", "审批对象：停用令所停用的政务信息系统、待删除内容所在的命名空间，或平战模式的名称"),
    ("until", "审批可使用的最后一天 [默认：7 天内]"),
    ("undo", "撤销：恢复承载工作负载，或恢复按次序转移"),
    ("unreachable", "无法访问该集群，其上负载继续运行；可重复"),
    ("verbose", "向标准错误输出日志：-v 显示步骤，-vv 显示细节（RUST_LOG 优先）"),
    ("version", "显示版本"),
    ("workload", "工作负载：名称 或 命名空间/名称"),
    ("write", "把故事的文件写入这个新目录，以便试验"),
];

/// Texts of headings.
const HEADINGS: &[(&str, &str)] = &[
    ("Supposed", "假设"),
    ("Talk", "交互"),
    ("Input", "输入"),
    ("Output", "输出"),
    ("Gate", "门禁"),
    ("Hub", "中心"),
    ("Running", "运行"),
    ("Member", "成员"),
    ("Pull", "拉取"),
    ("Approval", "批准"),
    ("Confirmation", "确认"),
    ("Registry", "镜像仓库"),
];

/// The template of clap with Chinese headings.
const TEMPLATE: &str = "{about}\n\n用法：{usage}\n\n{all-args}{after-help}";

fn find(table: &[(&str, &'static str)], id: &str) -> Option<&'static str> {
    table.iter().find(|(key, _)| *key == id).map(|(_, text)| *text)
}

/// The same command tree with Chinese texts.
pub(crate) fn localize(command: Command) -> Command {
    let name = command.get_name().to_owned();
    let mut command = match find(COMMANDS, &name) {
        Some(text) => command.about(text).long_about(None),
        None => command,
    };
    command = command.help_template(TEMPLATE).subcommand_help_heading("命令").mut_args(|arg| {
        let id = arg.get_id().to_string();
        let heading = arg.get_help_heading().and_then(|heading| find(HEADINGS, heading));
        let arg = match find(ARGS, &id) {
            Some(text) => arg.help(text).long_help(None),
            None => arg,
        };
        match heading {
            Some(heading) => arg.help_heading(heading),
            None if arg.is_positional() => arg.help_heading("参数"),
            None => arg.help_heading("选项"),
        }
    });
    // clap adds these two itself, in English and under an English heading.
    let own = |id: &'static str| Arg::new(id).long(id).help(find(ARGS, id).unwrap_or_default()).help_heading("选项");
    command = command.disable_help_flag(true).arg(own("help").short('h').action(ArgAction::Help));
    if command.get_version().is_some() {
        command = command.disable_version_flag(true).arg(own("version").short('V').action(ArgAction::Version));
    }
    command.mut_subcommands(localize)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::args::Cli;

    fn walk(command: &Command, missing: &mut Vec<String>) {
        if find(COMMANDS, command.get_name()).is_none() {
            missing.push(command.get_name().to_owned());
        }
        for arg in command.get_arguments() {
            if find(ARGS, arg.get_id().as_str()).is_none() {
                missing.push(format!("{} {}", command.get_name(), arg.get_id()));
            }
        }
        command.get_subcommands().for_each(|sub| walk(sub, missing));
    }

    #[test]
    fn every_command_and_flag_has_a_chinese_text() {
        let mut missing = Vec::new();
        walk(&Cli::command(), &mut missing);
        assert!(missing.is_empty(), "no Chinese text for {missing:?}");
    }

    #[test]
    fn no_text_is_left_over() {
        fn ids(command: &Command, out: &mut Vec<String>) {
            out.push(command.get_name().to_owned());
            out.extend(command.get_arguments().map(|arg| arg.get_id().to_string()));
            command.get_subcommands().for_each(|sub| ids(sub, out));
        }
        let mut known = Vec::new();
        let mut built = Cli::command();
        built.build();
        ids(&built, &mut known);
        for (id, _) in COMMANDS.iter().chain(ARGS) {
            assert!(known.iter().any(|k| k == id), "{id} names no command or flag");
        }
    }

    #[test]
    fn the_chinese_help_has_no_english_heading() {
        let help = localize(Cli::command()).find_subcommand_mut("plan").expect("plan exists").render_help().to_string();
        for heading in ["Usage:", "Options:", "Arguments:", "Commands:"] {
            assert!(!help.contains(heading), "{heading} in\n{help}");
        }
    }
}
