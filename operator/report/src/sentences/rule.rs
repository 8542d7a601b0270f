//! Sentences of the codes of area `Rule`: whether a cluster may carry a workload.

use jiuzhou_engine::terms::Code;

use super::Sentence;

pub(super) fn of(code: Code) -> Option<Sentence> {
    Some(match code {
        Code::AffinityMismatch => Sentence {
            en: "The cluster does not match {object}: it has {seen}, the placement wants {wanted}.",
            zh: "集群不满足 {object}：现有 {seen}，要求 {wanted}。",
            fix_en: "Change the placement, or the label of the cluster.",
            fix_zh: "请修改部署要求，或修改集群标签。",
        },
        Code::ClassifiedRefused => Sentence {
            en: "The system is classified (涉密) and is not placed by this platform at all.",
            zh: "该系统涉密，本平台一律不予部署。",
            fix_en: "Use a classified network; nothing here can be changed to allow it.",
            fix_zh: "请使用涉密网络环境；此处没有任何配置可以放行。",
        },
        Code::ClusterDedicated => Sentence {
            en: "The cluster is dedicated to {seen}; the workload belongs to {wanted}.",
            zh: "该成员集群专供 {seen} 使用，工作负载属于 {wanted}。",
            fix_en: "Have the cluster's owner add {wanted} to those it is dedicated to, or choose another cluster.",
            fix_zh: "请由集群所有方将 {wanted} 加入专用名单，或选择其他成员集群。",
        },
        Code::ClusterDeleting => Sentence {
            en: "The cluster is leaving the fleet.",
            zh: "该成员集群正在退出。",
            fix_en: "Choose another cluster: this one takes nothing more, and replicas there go elsewhere.",
            fix_zh: "请选择其他成员集群：该集群不再接收部署，其上副本将部署到别处。",
        },
        Code::ClusterDraining => Sentence {
            en: "The cluster is being drained and takes nothing new.",
            zh: "该成员集群正在排空，不接收新的副本。",
            fix_en: "Wait until maintenance is over, or end the drain.",
            fix_zh: "请等待维护结束，或取消排空。",
        },
        Code::ClusterNotAllowed => Sentence {
            en: "The tenant may use {wanted}; the cluster is {seen}.",
            zh: "该单位只可使用 {wanted}，此成员集群为 {seen}。",
            fix_en: "Have the bureau add the cluster to the tenant's list.",
            fix_zh: "请由主管部门将该成员集群加入该单位的可用名单。",
        },
        Code::ClusterUnreachable => Sentence {
            en: "Cluster {object} is not reached, so nothing new is placed there.",
            zh: "无法连接成员集群 {object}，不会新增部署。",
            fix_en: "Restore the connection; what runs there is left alone.",
            fix_zh: "请恢复连接；已运行的副本保持不变。",
        },
        Code::DataElsewhere => Sentence {
            en: "The data of the workload is on {wanted} and cannot move; the cluster is {seen}.",
            zh: "工作负载的数据位于 {wanted} 且不可迁移，此成员集群为 {seen}。",
            fix_en: "Plan a migration of the data to {seen}, or place it where its data is.",
            fix_zh: "请安排数据迁移任务将数据迁往 {seen}，或部署到数据所在集群。",
        },
        Code::DatabaseNotOffered => Sentence {
            en: "The cluster does not offer the database {wanted}; it offers {seen}.",
            zh: "该成员集群不提供数据库 {wanted}，现有 {seen}。",
            fix_en: "Add the service to the cluster, or choose another one.",
            fix_zh: "请在该成员集群开通此服务，或选择其他集群。",
        },
        Code::FreezeActive => Sentence {
            en: "The change freeze {object} holds until {seen}.",
            zh: "封网期 {object} 生效中，至 {seen} 结束。",
            fix_en: "Wait until it ends; failover, rollback and security orders pass.",
            fix_zh: "请等待封网期结束；故障切换、回滚和安全指令不受影响。",
        },
        Code::GroupMismatch => Sentence {
            en: "The cluster is in none of the groups of the placement policy.",
            zh: "该成员集群不属于部署策略的任何分组。",
            fix_en: "Add the cluster to a group, or add a group.",
            fix_zh: "请将该成员集群纳入某一分组，或新增分组。",
        },
        Code::ImageNotInRegistry => Sentence {
            en: "The registry {seen} that the pool reaches does not hold {object}.",
            zh: "节点池可达的镜像仓库 {seen} 中没有 {object}。",
            fix_en: "Copy the image to that registry.",
            fix_zh: "请将该镜像同步到此仓库。",
        },
        Code::ImageRegistryUnknown => Sentence {
            en: "Whether the registry {seen} holds {object} is not known.",
            zh: "未知镜像仓库 {seen} 是否存有 {object}。",
            fix_en: "List the images of that registry in the cluster, or copy the image there.",
            fix_zh: "请登记该仓库的镜像清单，或将镜像同步到该仓库。",
        },
        Code::JurisdictionNotAllowed => Sentence {
            en: "The operator of the cluster is under the law of {seen}; allowed is {wanted}.",
            zh: "该成员集群运营方受 {seen} 法律管辖，只允许 {wanted}。",
            fix_en: "Allow the law of {seen} in the workload, or choose a cluster whose operator is under allowed jurisdictions only.",
            fix_zh: "请在工作负载中允许受 {seen} 法律管辖，或选择运营方仅受所允许法域管辖的成员集群。",
        },
        Code::JurisdictionUnknown => Sentence {
            en: "The jurisdictions of the cluster's operator are not stated; allowed is {wanted}.",
            zh: "未说明该成员集群运营方受何地法律管辖，只允许 {wanted}。",
            fix_en: "State the jurisdictions in the cluster, with evidence.",
            fix_zh: "请在成员集群中填写管辖法域并附证明材料。",
        },
        Code::KindNotServed => Sentence {
            en: "The cluster does not serve the kind {object}.",
            zh: "该成员集群不支持资源类型 {object}。",
            fix_en: "Install its definition in the cluster, or choose another one.",
            fix_zh: "请在该成员集群安装相应的资源定义，或选择其他集群。",
        },
        Code::KindNotUnderstood => Sentence {
            en: "The kind {object} has no profile and the workload declares no components for it.",
            zh: "资源类型 {object} 没有适配档案，工作负载也未声明其组件。",
            fix_en: "Add a KindProfile, or declare images, requests and replicas as components.",
            fix_zh: "请添加 KindProfile，或在组件中声明镜像、资源请求和副本数。",
        },
        Code::KindsUnknown => Sentence {
            en: "The API kinds of the cluster are not known; needed is {wanted}.",
            zh: "未知该成员集群支持哪些资源类型，需要 {wanted}。",
            fix_en: "Connect the cluster once, or declare its API kinds.",
            fix_zh: "请至少连接一次该成员集群，或声明其支持的资源类型。",
        },
        Code::NoPoolAccepted => Sentence {
            en: "No single pool of the cluster passes all rules for pools; it has {seen}.",
            zh: "该成员集群没有任何一个节点池同时满足全部节点池规则，现有 {seen}。",
            fix_en: "See the rules of each pool; the cheapest pool to open is named first.",
            fix_zh: "请查看各节点池的规则结果；最易放行的节点池列在最前。",
        },
        Code::NodeLabelMismatch => Sentence {
            en: "No node of the pool has {object} as the pods ask for it: the nodes have {seen}, wanted is {wanted}.",
            zh: "该节点池的节点不满足 Pod 对标签 {object} 的要求：现有 {seen}，要求 {wanted}。",
            fix_en: "Label the nodes of the pool, or change the node selector of the pods.",
            fix_zh: "请为该节点池的节点设置标签，或修改 Pod 的节点选择器。",
        },
        Code::NodeNamed => Sentence {
            en: "The pods ask for nodes by {object}; whether this pool has them is not known.",
            zh: "Pod 按 {object} 指定节点，无法判断该节点池是否包含这些节点。",
            fix_en: "Ask for a label of the nodes instead of their names.",
            fix_zh: "请改用节点标签，不要指定节点名称。",
        },
        Code::NodeTaintNotTolerated => Sentence {
            en: "The pods do not tolerate the taint {object}={seen} ({wanted}) of the pool's nodes.",
            zh: "Pod 未容忍该节点池节点的污点 {object}={seen}（{wanted}）。",
            fix_en: "Add the toleration to the pod template, or remove the taint from the nodes.",
            fix_zh: "请在 Pod 模板中添加容忍，或移除节点的污点。",
        },
        Code::OwnershipNotAllowed => Sentence {
            en: "The cluster's operator is {seen}; allowed is {wanted}.",
            zh: "该成员集群运营方性质为 {seen}，只允许 {wanted}。",
            fix_en: "Allow the owner {seen} in the workload, or choose a cluster of an allowed owner.",
            fix_zh: "请在工作负载中允许运营方性质 {seen}，或选择性质符合要求的运营方的成员集群。",
        },
        Code::OwnershipUnknown => Sentence {
            en: "The owner of the cluster's operator is not stated; allowed is {wanted}.",
            zh: "未说明该成员集群运营方的性质，只允许 {wanted}。",
            fix_en: "State the ownership in the cluster.",
            fix_zh: "请在成员集群中填写运营方性质。",
        },
        Code::PlatformNotAllowed => Sentence {
            en: "The pool's CPU platform is {seen}; the workload allows {wanted}.",
            zh: "节点池的芯片平台为 {seen}，工作负载只允许 {wanted}。",
            fix_en: "Allow the platform in the workload, or choose another pool.",
            fix_zh: "请在工作负载中允许该平台，或选择其他节点池。",
        },
        Code::PlatformNotKnown => Sentence {
            en: "The pool's CPU platform is not known ({seen}); the workload allows {wanted}.",
            zh: "未能识别节点池的芯片平台（{seen}），工作负载只允许 {wanted}。",
            fix_en: "Label the nodes with their platform, or install Node Feature Discovery.",
            fix_zh: "请为节点标注芯片平台，或安装 Node Feature Discovery。",
        },
        Code::ProtectionTooLow => Sentence {
            en: "The platform is attested for protection level {seen}; the system needs {wanted}.",
            zh: "平台已通过测评的等保等级为 {seen}，系统要求 {wanted}。",
            fix_en: "Have the platform assessed at that level, or enter the valid report.",
            fix_zh: "请对平台进行相应等级的测评，或登记有效的测评报告。",
        },
        Code::ProtectionUnverified => Sentence {
            en: "A report attests protection level {wanted}, but nobody verified it; verified is {seen}.",
            zh: "有报告证明等保等级 {wanted}，但尚未核验；已核验的为 {seen}。",
            fix_en: "Have a second person verify the report.",
            fix_zh: "请由另一人核验该报告。",
        },
        Code::ProviderNotAllowed => Sentence {
            en: "The provider is {seen}; allowed is {wanted}.",
            zh: "云服务商为 {seen}，只允许 {wanted}。",
            fix_en: "Allow {seen} in the tenant and the workload, or choose a cluster of an allowed provider.",
            fix_zh: "请在单位与工作负载中允许 {seen}，或选择所允许云服务商的成员集群。",
        },
        Code::ProviderUnknown => Sentence {
            en: "The provider of the cluster is not stated; allowed is {wanted}.",
            zh: "未说明该成员集群的云服务商，只允许 {wanted}。",
            fix_en: "State the provider of its site.",
            fix_zh: "请在机房中填写云服务商。",
        },
        Code::ReachNotOpened => Sentence {
            en: "The firewall of the cluster has not opened {wanted}; opened is {seen}.",
            zh: "该成员集群的防火墙未开通 {wanted}，已开通 {seen}。",
            fix_en: "Request the opening and enter it in the cluster.",
            fix_zh: "请提交网络策略工单，开通后在成员集群中登记。",
        },
        Code::ReachabilityUnknown => Sentence {
            en: "Whether the cluster is reached is not certain.",
            zh: "该成员集群的连通性无法确定。",
            fix_en: "Check the connection from hub and agent.",
            fix_zh: "请分别从中心端和代理端检查连接。",
        },
        Code::RegionNotAllowed => Sentence {
            en: "The cluster is in region {seen}; allowed is {wanted}.",
            zh: "该成员集群位于区域 {seen}，只允许 {wanted}。",
            fix_en: "Let the tenant and the workload into {seen}, if the data may be there, or choose a cluster in {wanted}.",
            fix_zh: "如数据可以存放，请将 {seen} 加入单位与工作负载所允许的区域，或选择位于 {wanted} 的成员集群。",
        },
        Code::RegionNotStated => Sentence {
            en: "The region of the cluster is not stated; allowed is {wanted}.",
            zh: "未说明该成员集群所在区域，只允许 {wanted}。",
            fix_en: "State the GB/T 2260 code of its site.",
            fix_zh: "请在机房中填写 GB/T 2260 行政区划代码。",
        },
        Code::StaleData => Sentence {
            en: "{object} still has data of the workload as of epoch {seen}, older than what it has elsewhere.",
            zh: "{object} 上仍留有该工作负载截至纪元 {seen} 的数据，旧于其他集群上的数据。",
            fix_en: "Delete the claims there, or bring the data up to date, then say so: jiuzhou reuse-data WORKLOAD --in {object}.",
            fix_zh: "请删除该处的存储卷声明或使数据更新，然后确认：jiuzhou reuse-data WORKLOAD --in {object}。",
        },
        Code::TaintNotTolerated => Sentence {
            en: "The taint {object}={seen} ({wanted}) of the cluster is not tolerated.",
            zh: "未容忍该成员集群的污点 {object}={seen}（{wanted}）。",
            fix_en: "Add a toleration to the placement policy, or remove the taint.",
            fix_zh: "请在部署策略中添加容忍，或移除该污点。",
        },
        Code::TenantUnknown => Sentence {
            en: "The tenant {seen} is not known, so nothing can be allowed to it.",
            zh: "单位 {seen} 不存在，无法为其放行。",
            fix_en: "Create the tenant, or correct its name.",
            fix_zh: "请创建该单位，或更正其名称。",
        },
        Code::TierTooLow => Sentence {
            en: "The cluster has sovereignty tier {seen}; {wanted} is demanded. Checks that do not pass: {object}.",
            zh: "该成员集群的主权等级为 {seen}，要求 {wanted}。未通过的检查：{object}。",
            fix_en: "Provide the evidence that the failing checks ask for, or choose another cluster.",
            fix_zh: "请补充未通过检查所需的证明材料，或选择其他成员集群。",
        },
        Code::TierUndefined => Sentence {
            en: "The demanded sovereignty tier {wanted} is not defined.",
            zh: "所要求的主权等级 {wanted} 未定义。",
            fix_en: "Define the tier, or correct its name.",
            fix_zh: "请定义该主权等级，或更正其名称。",
        },
        Code::TierUnverified => Sentence {
            en: "The cluster has tier {seen} for certain and would have {wanted} if unverified evidence held: {object}.",
            zh: "该成员集群可确认的主权等级为 {seen}，未核验的材料若属实可达 {wanted}：{object}。",
            fix_en: "Have a second person verify the evidence.",
            fix_zh: "请由另一人核验证明材料。",
        },
        Code::ZoneMismatch => Sentence {
            en: "The pool stands in network zone {seen}; the workload needs {wanted}.",
            zh: "节点池位于网络区域 {seen}，工作负载要求 {wanted}。",
            fix_en: "Ask for zone {seen} in the workload, if it may run there, or choose a pool in {wanted}.",
            fix_zh: "如可在该区域运行，请将工作负载要求的网络区域改为 {seen}，或选择位于 {wanted} 的节点池。",
        },
        Code::ZoneNotAllowed => Sentence {
            en: "The pool stands in network zone {seen}; the tenant may use {wanted}.",
            zh: "节点池位于网络区域 {seen}，该单位只可使用 {wanted}。",
            fix_en: "Have the bureau add zone {seen} to the tenant's, or choose a pool in an allowed zone.",
            fix_zh: "请由主管部门将 {seen} 加入该单位可用的网络区域，或选择位于所允许网络区域的节点池。",
        },
        Code::ZoneUnknown => Sentence {
            en: "The network zone of the pool is not stated; wanted is {wanted}.",
            zh: "未说明节点池所在网络区域，要求 {wanted}。",
            fix_en: "Label the nodes with their network zone.",
            fix_zh: "请为节点标注网络区域。",
        },
        _ => return None,
    })
}
