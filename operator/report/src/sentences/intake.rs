//! Sentences of the codes of area `Intake`: reading files.

use jiuzhou_engine::terms::Code;

use super::Sentence;

pub(super) fn of(code: Code) -> Option<Sentence> {
    Some(match code {
        Code::FileUnreadable => Sentence {
            en: "{object} cannot be read: {seen}.",
            zh: "无法读取 {object}：{seen}。",
            fix_en: "Check the path and its permissions.",
            fix_zh: "请检查路径及其权限。",
        },
        Code::SyntaxInvalid => Sentence {
            en: "The text is not valid YAML or JSON: {seen}.",
            zh: "文本不是有效的 YAML 或 JSON：{seen}。",
            fix_en: "Correct the line shown.",
            fix_zh: "请修改所示的行。",
        },
        Code::AffinityMatchesNothing => Sentence {
            en: "The required node affinity at {object} has no term that can match a node.",
            zh: "{object} 处的必需节点亲和性没有任何可以匹配节点的条件项。",
            fix_en: "Give every nodeSelectorTerm at least one valid requirement, or remove the affinity.",
            fix_zh: "请为每个 nodeSelectorTerm 写入至少一条有效的匹配要求，或删除该亲和性。",
        },
        Code::ClosureSplit => Sentence {
            en: "{object} holds {seen} objects that belong together; one FleetWorkload takes at most {wanted}, so it was split.",
            zh: "{object} 有 {seen} 个相互关联的对象，而一个工作负载最多容纳 {wanted} 个，因此已拆分。",
            fix_en: "Check the dependsOn of the parts, or group the objects by app.kubernetes.io/instance.",
            fix_zh: "请检查各部分的 dependsOn，或用 app.kubernetes.io/instance 标签对对象分组。",
        },
        Code::ClusterScopedNotWrapped => Sentence {
            en: "{subject} is cluster-scoped and cannot be part of a tenant's FleetWorkload.",
            zh: "{subject} 是集群级对象，不能放入单位的工作负载。",
            fix_en: "Ask the platform team to install it on the member clusters, or leave it out.",
            fix_zh: "请由平台管理方安装到成员集群，或将其去掉。",
        },
        Code::CrdNotWrapped => Sentence {
            en: "{subject} defines a kind; definitions are installed by the platform, not delivered with a workload.",
            zh: "{subject} 定义了一种资源类型；类型定义由平台安装，不随工作负载下发。",
            fix_en: "Install the definition on the member clusters first and declare a KindProfile for its kind.",
            fix_zh: "请先在成员集群安装该定义，并为这种资源声明 KindProfile。",
        },
        Code::DependencyMissing => Sentence {
            en: "{subject} needs {object}, which is not among the objects given.",
            zh: "{subject} 需要 {object}，但给出的对象中没有它。",
            fix_en: "Add the object, mark the reference optional, or make sure that it exists on every member cluster.",
            fix_zh: "请补充该对象，或将引用标记为可选，或确保每个成员集群上都有它。",
        },
        Code::HookNotWrapped => Sentence {
            en: "{subject} is a Helm hook ({seen}), which only Helm runs.",
            zh: "{subject} 是 Helm 钩子（{seen}），只由 Helm 执行。",
            fix_en: "Turn the hook into a plain Job with a wave, or run it outside of delivery.",
            fix_zh: "请将钩子改为带 wave 的普通 Job，或在下发流程之外执行。",
        },
        Code::ImageInvalid => Sentence {
            en: "{seen} is no image reference.",
            zh: "{seen} 不是有效的镜像引用。",
            fix_en: "Write registry/repository:tag@sha256:digest; check that every template value is filled in.",
            fix_zh: "请按 registry/repository:tag@sha256:digest 书写，并检查模板变量是否都已填入。",
        },
        Code::ImageNotPinned => Sentence {
            en: "The image {seen} has no digest, so the tag can come to mean another image.",
            zh: "镜像 {seen} 没有摘要，同一标签以后可能指向另一个镜像。",
            fix_en: "Add @sha256:digest to the reference.",
            fix_zh: "请在引用后加上 @sha256:摘要。",
        },
        Code::KindUnprofiled => Sentence {
            en: "{subject} is of a kind without a KindProfile, so it is not known whether it runs pods.",
            zh: "{subject} 所属的资源类型没有 KindProfile，无法判断它是否运行 Pod。",
            fix_en: "Add a KindProfile for {object}, or declare components in the FleetWorkload.",
            fix_zh: "请为 {object} 添加 KindProfile，或在工作负载中声明 components。",
        },
        Code::ManifestDuplicate => Sentence {
            en: "{subject} is given more than once.",
            zh: "{subject} 重复给出。",
            fix_en: "Keep one of the manifests.",
            fix_zh: "请只保留其中一份清单。",
        },
        Code::ManifestFieldInvalid => Sentence {
            en: "The field {object} has the value {seen}; wanted is {wanted}.",
            zh: "字段 {object} 的值为 {seen}，应为 {wanted}。",
            fix_en: "Correct the field.",
            fix_zh: "请改正该字段。",
        },
        Code::ManifestInvalid => Sentence {
            en: "The entry {object} is no Kubernetes object with a name: {wanted} missing.",
            zh: "条目 {object} 不是带名称的 Kubernetes 对象：缺少 {wanted}。",
            fix_en: "Add the missing fields; generateName cannot be delivered.",
            fix_zh: "请补全缺少的字段；generateName 无法下发。",
        },
        Code::NodeNameFixed => Sentence {
            en: "The pod names its node {seen} itself, so no rule about nodes is applied to it.",
            zh: "Pod 自行指定了节点 {seen}，节点规则对它不起作用。",
            fix_en: "Remove spec.nodeName and use a node selector.",
            fix_zh: "请删除 spec.nodeName，改用节点选择器。",
        },
        Code::OverrideInvalid => Sentence {
            en: "The override at {object} cannot be applied: {seen}.",
            zh: "{object} 处的覆盖无法应用：{seen}。",
            fix_en: "Correct the override so that it fits the object.",
            fix_zh: "请修改覆盖内容，使其与对象相符。",
        },
        Code::QuantityInvalid => Sentence {
            en: "The quantity of {object} is {seen}; wanted is {wanted}.",
            zh: "{object} 的数量为 {seen}，应为 {wanted}。",
            fix_en: "Write a Kubernetes quantity such as 250m, 1.5 or 2Gi.",
            fix_zh: "请写成 Kubernetes 数量，例如 250m、1.5 或 2Gi。",
        },
        Code::RequestAboveLimit => Sentence {
            en: "The request for {object} is {seen}, above its limit of {wanted}.",
            zh: "{object} 的请求量 {seen} 超过其上限 {wanted}。",
            fix_en: "Lower the request or raise the limit.",
            fix_zh: "请降低请求量或提高上限。",
        },
        Code::SelectorMatchesNothing => Sentence {
            en: "The selector {seen} of {subject} matches no pod of the set.",
            zh: "{subject} 的选择器 {seen} 没有匹配到任何 Pod。",
            fix_en: "Correct the selector or the labels of the pod template.",
            fix_zh: "请改正选择器或 Pod 模板的标签。",
        },
        _ => return None,
    })
}
