//! Sentences of the codes of area `Inspect`: what stands in an image.

use jiuzhou_engine::terms::Code;

use super::Sentence;

pub(super) fn of(code: Code) -> Option<Sentence> {
    Some(match code {
        Code::AbiWorldsMixed => Sentence {
            en: "{object} belongs to the {seen} LoongArch ABI world, other programs of the image to the {wanted} one.",
            zh: "{object} 属于龙架构 {seen} 世界，镜像中的其他程序属于 {wanted} 世界。",
            fix_en: "Build the image from one distribution.",
            fix_zh: "请使用同一发行版构建该镜像。",
        },
        Code::AllocatorPageSize => Sentence {
            en: "{object} carries jemalloc, which aborts on pages larger than it was built for; that size cannot be seen.",
            zh: "{object} 内含 jemalloc，页大小超过其编译设定即会中止，而该设定无法从文件看出。",
            fix_en: "Ask for how it was built (--with-lg-page), try it on 64 KiB pages, and declare needs.maxPageSizeKib.",
            fix_zh: "请查明编译参数（--with-lg-page），在 64 KiB 页的节点上试运行，并声明 needs.maxPageSizeKib。",
        },
        Code::AttestationSkipped => Sentence {
            en: "{seen} manifests of the index are signatures or attestations and no platforms.",
            zh: "索引中有 {seen} 个清单是签名或证明，不是平台。",
            fix_en: "Nothing is to be done.",
            fix_zh: "无需处理。",
        },
        Code::EntryPointMissing => Sentence {
            en: "The command names {object}, which is not in the image or is no program.",
            zh: "启动命令指定了 {object}，但镜像中没有该文件，或它不是程序。",
            fix_en: "Correct ENTRYPOINT and CMD, or inspect the image that the workload's command belongs to.",
            fix_zh: "请更正 ENTRYPOINT 与 CMD，或检查工作负载命令所属的镜像。",
        },
        Code::EntryPointNone => Sentence {
            en: "{subject} has neither entry point nor command, so what runs is not known.",
            zh: "{subject} 既无入口点也无命令，因此无法得知运行的程序。",
            fix_en: "Name the program with --command.",
            fix_zh: "请用 --command 指明程序。",
        },
        Code::ImageArchitectureContradicted => Sentence {
            en: "{subject} is said to be for {wanted}, but {object} is a program for {seen}.",
            zh: "{subject} 声明的架构为 {wanted}，但 {object} 是 {seen} 的程序。",
            fix_en: "Build each platform from sources or bases of its own; on a node it ends in \"exec format error\".",
            fix_zh: "请为每个平台使用各自的源码或基础镜像构建；否则在节点上会报 “exec format error”。",
        },
        Code::ImageUnreadable => Sentence {
            en: "{object} cannot be inspected: {seen}.",
            zh: "无法检查 {object}：{seen}。",
            fix_en: "Give an OCI layout folder, an archive of `docker save` or `skopeo copy`, or the name of an image in a registry.",
            fix_zh: "请提供 OCI 布局目录、`docker save` 或 `skopeo copy` 的归档，或镜像仓库中的镜像名。",
        },
        Code::InstructionSetAboveVariant => Sentence {
            en: "{object} needs {wanted}, but the variant of {subject} promises that {seen} is enough.",
            zh: "{object} 需要 {wanted}，而 {subject} 的变体承诺 {seen} 即可。",
            fix_en: "Publish the entry with the variant it needs, or compile for the variant it has.",
            fix_zh: "请以实际所需的变体发布该条目，或按现有变体重新编译。",
        },
        Code::InstructionSetUnmarked => Sentence {
            en: "No mark says which instructions {object} needs, so its level stays unknown.",
            zh: "没有标记说明 {object} 需要哪些指令，指令集级别仍为未知。",
            fix_en: "Declare needs.level as it was compiled (-march), or link with -z x86-64-vN where that exists.",
            fix_zh: "请按编译参数（-march）声明 needs.level；x86 可在链接时使用 -z x86-64-vN 写入标记。",
        },
        Code::LayerUnreadable => Sentence {
            en: "The layer {object} of {subject} cannot be read: {seen}.",
            zh: "无法读取 {subject} 的层 {object}：{seen}。",
            fix_en: "Pull or save the image again; what is in that layer stays unknown.",
            fix_zh: "请重新拉取或保存该镜像；该层内容仍为未知。",
        },
        Code::LibraryMissing => Sentence {
            en: "{object} asks for the library {wanted}, which is not in the image for its architecture.",
            zh: "{object} 需要库 {wanted}，但镜像中没有适用于其架构的该库。",
            fix_en: "Install the library for this architecture in the image.",
            fix_zh: "请在镜像中安装适用于该架构的库。",
        },
        Code::LoaderMissing => Sentence {
            en: "{object} asks for the loader {wanted}, which is not in the image: it would end in \"No such file or directory\".",
            zh: "{object} 需要加载器 {wanted}，但镜像中没有：运行时会报 “No such file or directory”。",
            fix_en: "Use a base image with that C library (and, on LoongArch, of that ABI world), or link statically.",
            fix_zh: "请使用带有该 C 库（龙架构还须为同一 ABI 世界）的基础镜像，或改为静态链接。",
        },
        Code::ManifestUnreadable => Sentence {
            en: "{object} of {subject} cannot be read: {seen}.",
            zh: "无法读取 {subject} 的 {object}：{seen}。",
            fix_en: "Pull or save the image again, with all its platforms.",
            fix_zh: "请重新拉取或保存该镜像的全部平台。",
        },
        Code::PackagesUnread => Sentence {
            en: "{subject} keeps its packages in an RPM database, which is not read.",
            zh: "{subject} 的软件包记录在 RPM 数据库中，本程序不读取该格式。",
            fix_en: "Give `find` an SBOM of the image.",
            fix_zh: "请向 `find` 提供该镜像的 SBOM。",
        },
        Code::ProgramBehindScript => Sentence {
            en: "{object} starts the program, and which one cannot be seen.",
            zh: "程序由 {object} 启动，无法看出具体是哪个程序。",
            fix_en: "Name the program with --command.",
            fix_zh: "请用 --command 指明程序。",
        },
        _ => return None,
    })
}
