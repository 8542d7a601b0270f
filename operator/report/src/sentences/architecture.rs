//! Sentences of the codes of area `Architecture`: the exact image-to-node rule.

use jiuzhou_engine::terms::Code;

use super::Sentence;

pub(super) fn of(code: Code) -> Option<Sentence> {
    Some(match code {
        Code::NoManifestForPlatform => Sentence {
            en: "The image has no manifest for {wanted}, which the nodes of {object} need; it offers {seen}.",
            zh: "镜像没有 {object} 节点所需的 {wanted} 清单，仅提供 {seen}。",
            fix_en: "Build and push the image for {wanted}.",
            fix_zh: "请为 {wanted} 构建并推送镜像。",
        },
        Code::ManifestNotKnown => Sentence {
            en: "Nobody has said that the image exists for {wanted}, which the nodes of {object} need; it is taken for {seen} only.",
            zh: "没有任何信息说明该镜像有 {object} 节点所需的 {wanted} 清单，仅按 {seen} 处理。",
            fix_en: "Describe the image in an ImageProfile (`jiuzhou inspect` writes one); build it for {wanted} if it has no such entry.",
            fix_zh: "请用镜像适配档案描述该镜像；如确无 {wanted} 条目，请为其构建并推送。",
        },
        Code::Aarch32Absent => Sentence {
            en: "The image has 32-bit Arm programs ({wanted}), which the nodes of {object} cannot run.",
            zh: "镜像含 32 位 Arm 程序（{wanted}），{object} 的节点无法运行。",
            fix_en: "Publish a 64-bit image, or choose a pool whose cores and kernel run 32-bit programs.",
            fix_zh: "请发布 64 位镜像，或选择内核与处理器核均支持 32 位程序的节点池。",
        },
        Code::Aarch32Unknown => Sentence {
            en: "Whether the nodes of {object} run 32-bit Arm programs ({wanted}) is not known.",
            zh: "{object} 的节点能否运行 32 位 Arm 程序（{wanted}）未知。",
            fix_en: "Set the label chips.jiuzhou.dev/aarch32, or let NFD report the kernel option COMPAT.",
            fix_zh: "请设置节点标签 chips.jiuzhou.dev/aarch32，或让 NFD 上报内核选项 COMPAT。",
        },
        Code::AbiWorldMismatch => Sentence {
            en: "The image is built for the {wanted} LoongArch ABI world, the nodes of {object} run the {seen} one.",
            zh: "镜像按龙芯 ABI 世界 {wanted} 构建，而 {object} 的节点运行的是 {seen}。",
            fix_en: "Build the image for the world of the nodes, or install libLoL on new-world nodes and declare it.",
            fix_zh: "请按节点的 ABI 世界重新构建镜像；新世界节点也可安装 libLoL 并以标签声明。",
        },
        Code::AbiWorldUndeclared => Sentence {
            en: "The image does not say whether it was built for the old or the new LoongArch ABI world.",
            zh: "镜像未声明按旧世界还是新世界（龙芯 ABI）构建。",
            fix_en: "Declare the world in the image profile.",
            fix_zh: "请在镜像适配档案中声明 ABI 世界。",
        },
        Code::AbiWorldUnknown => Sentence {
            en: "The LoongArch ABI world of {object} is not known.",
            zh: "{object} 的龙芯 ABI 世界（旧世界或新世界）未知。",
            fix_en: "Set the label chips.jiuzhou.dev/abi-world on the nodes.",
            fix_zh: "请为节点设置标签 chips.jiuzhou.dev/abi-world。",
        },
        Code::AcceleratorAbsent => Sentence {
            en: "No node of the pool can allocate {wanted} of {object}; the most on one node is {seen}.",
            zh: "节点池中没有节点能分配 {wanted} 个 {object}，单节点最多为 {seen} 个。",
            fix_en: "Add nodes with {wanted} of it to the pool, ask for fewer, or choose another pool.",
            fix_zh: "请在该节点池增加具备 {wanted} 个的节点、减少申请数量，或选择其他节点池。",
        },
        Code::AcceleratorClassUnknown => Sentence {
            en: "The accelerator class {object} is in no table.",
            zh: "加速器类别 {object} 未在任何对照表中登记。",
            fix_en: "Use a class of the catalogue, or the name of the extended resource.",
            fix_zh: "请使用目录中的类别，或直接填写扩展资源名称。",
        },
        Code::AffinityExcludes => Sentence {
            en: "The node affinity derived from the needs keeps pods off {object}, which could run them: its nodes do not show {wanted}.",
            zh: "由需求推导的节点亲和性会排除本可运行的 {object}：其节点未体现 {wanted}。",
            fix_en: "Label the nodes of the pool, or let NFD show the feature.",
            fix_zh: "请为该节点池的节点设置标签，或让 NFD 上报该特性。",
        },
        Code::ArchitectureUnlisted => Sentence {
            en: "containerd's table of platforms does not list {object}; it is matched by its exact name.",
            zh: "containerd 的平台表未收录 {object}，按名称精确匹配。",
            fix_en: "Nothing needs to be done; name the architecture exactly so in the image.",
            fix_zh: "无需处理；镜像中的架构名称须与此完全一致。",
        },
        Code::BaselineImpliedBySibling => Sentence {
            en: "A higher variant stands beside {object}, so this entry counts as built for the baseline.",
            zh: "{object} 旁有更高的变体，因此视该条目按基线指令集构建。",
            fix_en: "Declare the level in the image profile if that is wrong.",
            fix_zh: "如与事实不符，请在镜像适配档案中声明指令集级别。",
        },
        Code::ChangeAddManifest => Sentence {
            en: "An entry for {object} in the image index would change the answer.",
            zh: "镜像索引中增加 {object} 条目后结论将改变。",
            fix_en: "Build and push the image for {object}.",
            fix_zh: "请为 {object} 构建并推送镜像。",
        },
        Code::ChangeAddVariantlessManifest => Sentence {
            en: "An entry {object} without variant and features would change the answer, and so would pinning the digest.",
            zh: "镜像索引中增加不带变体的 {object} 条目，或固定到子清单摘要后，结论将改变。",
            fix_en: "Publish the entry {object}, or let the hub pin the digest.",
            fix_zh: "请发布 {object} 条目，或由中枢固定镜像摘要。",
        },
        Code::ChangeDeclareAcceleratorClass => Sentence {
            en: "Declaring the accelerator class {object} would change the answer.",
            zh: "登记加速器类别 {object} 后结论将改变。",
            fix_en: "Add the class with its resource names.",
            fix_zh: "请登记该类别及其资源名称。",
        },
        Code::ChangeDeclareNeeds => Sentence {
            en: "Declaring {object} in the image profile could change the answer.",
            zh: "在镜像适配档案中声明 {object} 后，结论可能改变。",
            fix_en: "Ask the builder of the image and declare {object}.",
            fix_zh: "请向镜像构建方确认并声明 {object}。",
        },
        Code::ChangeDeclareNodeLabel => Sentence {
            en: "The label {object} with its true value (such as {wanted}) on the nodes could change the answer.",
            zh: "为节点设置标签 {object}（按实际情况填写，例如 {wanted}）后，结论可能改变。",
            fix_en: "Set the label {object} on the nodes of the pool.",
            fix_zh: "请为该节点池的节点设置标签 {object}。",
        },
        Code::ChangeEnableNfdOption => Sentence {
            en: "Node Feature Discovery with {object} on the nodes could change the answer.",
            zh: "在节点上启用 Node Feature Discovery 的 {object} 后，结论可能改变。",
            fix_en: "Switch on {object} in the configuration of the NFD worker.",
            fix_zh: "请在 NFD worker 配置中启用 {object}。",
        },
        Code::ChangePickOtherPool => Sentence {
            en: "A pool that offers {wanted} would change the answer.",
            zh: "选择具备 {wanted} 的节点池后结论将改变。",
            fix_en: "Choose a pool that offers {wanted}, or rebuild the image without that need.",
            fix_zh: "请选择具备 {wanted} 的节点池，或重新构建镜像以去除该要求。",
        },
        Code::Emulated => Sentence {
            en: "The program for {wanted} runs under {object}, at {seen} of native speed.",
            zh: "{wanted} 的程序经 {object} 翻译运行，速度约为原生的 {seen}。",
            fix_en: "Publish a native image; let the bridge expire by then.",
            fix_zh: "请尽快发布原生镜像，并为翻译运行设定期限。",
        },
        Code::IsaFeatureMissing => Sentence {
            en: "The image needs the instruction set feature {wanted}, which {object} does not have.",
            zh: "镜像需要指令集特性 {wanted}，而该节点池的芯片平台 {object} 不具备。",
            fix_en: "Choose a pool that has it, or build the image for a lower baseline.",
            fix_zh: "请选择具备该特性的节点池，或按更低的指令集基线构建镜像。",
        },
        Code::IsaLevelTooHigh => Sentence {
            en: "The image needs {wanted}; the nodes of {object} reach {seen}.",
            zh: "镜像要求指令集级别 {wanted}，而 {object} 的节点仅达到 {seen}。",
            fix_en: "Build for {seen} or lower, raise the CPU model of the virtual machines, or choose a pool of that level.",
            fix_zh: "请按 {seen} 或更低级别构建镜像、提升虚拟机的 CPU 型号，或选择达到该级别的节点池。",
        },
        Code::IsaUnknown => Sentence {
            en: "Whether {object} has the instruction set feature {wanted} is not known.",
            zh: "{object} 是否具备指令集特性 {wanted} 未知。",
            fix_en: "Run Node Feature Discovery on the nodes, or declare their CPU platform.",
            fix_zh: "请在节点上部署 Node Feature Discovery，或声明其芯片平台。",
        },
        Code::KernelTooOld => Sentence {
            en: "The image needs kernel {wanted}; the nodes of {object} run {seen}.",
            zh: "镜像要求内核版本不低于 {wanted}，而 {object} 的节点为 {seen}。",
            fix_en: "Upgrade the nodes to kernel {wanted}, or choose a pool with a newer one.",
            fix_zh: "请将节点内核升级到 {wanted}，或选择内核较新的节点池。",
        },
        Code::KernelUnknown => Sentence {
            en: "The image needs kernel {wanted}; the kernel of {object} is not known.",
            zh: "镜像要求内核版本不低于 {wanted}，而 {object} 的内核版本未知。",
            fix_en: "Let the cluster report the kernel of its nodes.",
            fix_zh: "请由集群上报节点的内核版本。",
        },
        Code::LiblolBridged => Sentence {
            en: "The image is of the {wanted} LoongArch ABI world and runs on {object} through libLoL.",
            zh: "镜像属于龙芯 ABI 世界 {wanted}，在 {object} 上通过 libLoL 兼容运行。",
            fix_en: "Build the image for the new world.",
            fix_zh: "请按新世界重新构建镜像。",
        },
        Code::NotExpressible => Sentence {
            en: "No node label keeps the pods off the nodes of {object}, which a rule refuses.",
            zh: "没有节点标签可以避免 Pod 调度到规则不允许的节点池 {object}。",
            fix_en: "Let the nodes show {wanted} (an option of NFD or a label), or tell the pools apart by the CPU platform's label.",
            fix_zh: "请使节点体现 {wanted}（NFD 选项或标签），或用芯片平台标签区分节点池。",
        },
        Code::OsFeatureMissing => Sentence {
            en: "The entry {object} demands the OS features {wanted}, which the host does not offer.",
            zh: "条目 {object} 要求操作系统特性 {wanted}，主机未提供。",
            fix_en: "Publish an entry without OS features.",
            fix_zh: "请发布不带操作系统特性的条目。",
        },
        Code::PageSizeLikely => Sentence {
            en: "The page size of {object} is probably {seen}, as is usual there; no node said so.",
            zh: "按惯例推断 {object} 的内核页大小为 {seen}，节点未予证实。",
            fix_en: "Let NFD report the kernel options of the page size, or set the label chips.jiuzhou.dev/page-size-ki.",
            fix_zh: "请让 NFD 上报页大小相关内核选项，或设置标签 chips.jiuzhou.dev/page-size-ki。",
        },
        Code::PageSizeUndeclared => Sentence {
            en: "The nodes of {object} have pages of {seen}; the image does not say whether it runs on them.",
            zh: "{object} 节点的内核页大小为 {seen}，镜像未声明能否在其上运行。",
            fix_en: "Test the image on such a node and declare its largest page size.",
            fix_zh: "请在此类节点上验证，并声明镜像支持的最大页大小。",
        },
        Code::PageSizeUnknown => Sentence {
            en: "The page size of {object} is not known for certain ({seen}); the image runs up to {wanted}.",
            zh: "{object} 的内核页大小未经证实（{seen}），镜像最大支持 {wanted}。",
            fix_en: "Let NFD report the kernel options of the page size, or set the label chips.jiuzhou.dev/page-size-ki.",
            fix_zh: "请让 NFD 上报页大小相关内核选项，或设置标签 chips.jiuzhou.dev/page-size-ki。",
        },
        Code::PageSizeUnsupported => Sentence {
            en: "The image runs on pages up to {wanted}; the nodes of {object} have {seen}.",
            zh: "镜像最大支持 {wanted} 的内核页，而 {object} 的节点为 {seen}。",
            fix_en: "Build the image for pages of {seen}, or choose a pool with smaller pages.",
            fix_zh: "请按 {seen} 的页重新构建镜像，或选择页更小的节点池。",
        },
        Code::Runs32Bit => Sentence {
            en: "The runtime falls back to the 32-bit image {object} on {seen}.",
            zh: "运行时在 {seen} 上回退到 32 位镜像 {object}。",
            fix_en: "Publish a 64-bit image.",
            fix_zh: "请发布 64 位镜像。",
        },
        Code::TeeAbsent => Sentence {
            en: "The workload needs a trusted execution environment ({wanted}), the nodes of {object} offer {seen}.",
            zh: "工作负载需要可信执行环境（{wanted}），{object} 的节点提供的为 {seen}。",
            fix_en: "Add nodes with {wanted} to the pool, or choose a pool that offers it.",
            fix_zh: "请在该节点池增加具备 {wanted} 的节点，或选择提供该可信执行环境的节点池。",
        },
        Code::TeeUndeclared => Sentence {
            en: "The CPU of {object} may offer {wanted}, but its owner did not declare it usable.",
            zh: "{object} 的芯片可能支持 {wanted}，但集群所有者未声明可用。",
            fix_en: "Verify it and set the label chips.jiuzhou.dev/tee.NAME on the nodes.",
            fix_zh: "请核实后为节点设置标签 chips.jiuzhou.dev/tee.NAME。",
        },
        Code::UndeclaredBaseline => Sentence {
            en: "The image does not say which instruction set it was built for; such images usually need {wanted}, {object} reaches {seen}.",
            zh: "镜像未声明构建所用的指令集；此类镜像通常要求 {wanted}，而 {object} 为 {seen}。",
            fix_en: "Declare the level of the image in its profile after a test on such a node.",
            fix_zh: "请在此类节点上验证后，在镜像适配档案中声明指令集级别。",
        },
        Code::VariantUnselectable => Sentence {
            en: "The CPU could run the entry {object}, but {seen} does not choose it: it looks for {wanted}.",
            zh: "芯片可以运行条目 {object}，但运行时 {seen} 不会选择它，它只查找 {wanted}。",
            fix_en: "Add an entry without variant, or pin the image to the digest of the entry.",
            fix_zh: "请增加不带变体的条目，或将镜像固定到该条目的摘要。",
        },
        _ => return None,
    })
}
