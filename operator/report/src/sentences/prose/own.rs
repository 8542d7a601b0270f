//! What our own code says beside names and values: amounts that are limited, faults of overrides, of images and of SBOMs.

use super::Table;

/// What a limit bounds.
pub(super) const AMOUNTS: Table = &[
    ("bytes per file", "“每个文件的字节数”"),
    ("documents per file", "“每个文件的文档数”"),
    ("values per file", "“每个文件的值数”"),
    ("nesting", "“嵌套层数”"),
    ("values added by aliases per document", "“每个文档由别名展开的值数”"),
    ("nesting of aliases", "“别名嵌套层数”"),
    ("anchors and aliases per document", "“每个文档的锚点与别名数”"),
    ("repeated keys per document", "“每个文档的重复键数”"),
    ("merge keys per document", "“每个文档的合并键数”"),
    ("bytes under anchors", "“锚点下的字节数”"),
    ("bytes of text per document", "“每个文档的文本字节数”"),
    ("lists inside lists", "“列表中的列表层数”"),
    ("bytes of a ManifestWork", "“ManifestWork 的字节数”"),
];

/// What a file is instead of UTF-8 text.
pub(super) const CONTENTS: Table = &[
    ("binary, a zero byte at offset {}", "二进制内容，偏移 {} 处有零字节"),
    ("byte {} at offset {}; GBK, GB 18030 or binary", "字节 {} 位于偏移 {}，可能是 GBK、GB 18030 编码或二进制内容"),
    ("binary, {} bytes", "二进制内容，{} 字节"),
];

/// Why a path is left out.
pub(super) const SKIPPED: Table = &[
    ("already read", "已经读取过"),
    ("folders nested too deeply", "目录嵌套过深"),
    ("already read, or a link to a folder above", "已经读取过，或是指向上级目录的链接"),
];

/// Types of JSON.
pub(super) const TYPES: Table = &[
    ("null", "空值"),
    ("boolean", "布尔值"),
    ("number", "数字"),
    ("integer", "整数"),
    ("string", "文本"),
    ("array", "列表"),
    ("object", "映射"),
    ("integer or string", "整数或文本"),
    ("another type", "其他类型"),
];

/// What is wanted of a value that is not allowed.
pub(super) const ALTERNATIVES: Table = &[("one alternative", "其中一种写法"), ("the object", "该对象")];

/// Of expressions.
pub(super) const EXPRESSIONS: Table = &[("the expression gives no truth value", "表达式的结果不是布尔值")];

/// Of overrides, and of manifests they are applied to.
pub(super) const OVERRIDES: Table = &[
    ("failed to apply an override at {}: {}", "在 {} 处无法应用：{}"),
    ("failed to read quantity {}: {}", "数量 {} 无法读取：{}"),
    (
        "failed to read path {}: want a JSON pointer such as /spec/template, with * for every item",
        "路径 {} 无法读取：应为 JSON 指针，如 /spec/template，用 * 表示每一项",
    ),
    ("failed to read image reference {}", "镜像引用 {} 无法读取"),
    ("no number", "不是数字"),
    ("unknown suffix", "单位未知"),
    ("out of range", "超出范围"),
    ("the identity of an object cannot be changed", "对象的标识不能更改"),
    ("it holds on some of the pools of {} only: {}", "仅适用于 {} 的部分节点池：{}"),
    ("it changes how many pod templates there are", "改变了 Pod 模板的个数"),
    ("it raises the request of {} above what was decided", "使 {} 的请求量超过了决策时的数量"),
    ("it changes the number of pods, which the placement decides", "改变了 Pod 数，而 Pod 数由部署结果决定"),
    ("valueJson of {} is not JSON", "{} 的 valueJson 不是 JSON"),
    ("{} is not closed", "{} 未闭合"),
    ("the cluster has no value {}", "该集群没有名为 {} 的值"),
    ("the zones {} reach its images under different names", "各网络区域 {} 以不同的名称访问其镜像"),
    ("1, because a kind without a profile has no number to write", "1，因为没有适配档案的资源类型没有可写的副本数"),
    ("not a container", "不是容器"),
    ("not a list", "不是列表"),
    ("not a map", "不是映射"),
    ("value did not match", "值不一致"),
    ("\"from\" path is invalid", "from 的路径无效"),
    ("path is invalid", "路径无效"),
    ("cannot move the value inside itself", "不能移动到自身内部"),
];

/// Of SBOMs.
pub(super) const SBOMS: Table = &[
    ("more than {} bytes", "超过 {} 字节"),
    ("SPDX 3, which is not read yet", "SPDX 3 尚不支持"),
    ("neither bomFormat nor spdxVersion", "既没有 bomFormat，也没有 spdxVersion"),
    ("it names no image", "没有写明镜像"),
];

/// Of images.
pub(super) const IMAGES: Table = &[
    (
        "failed to find an image in {}: want an OCI layout (oci-layout, index.json) or an archive of `docker save`",
        "在 {} 中未找到镜像：应为 OCI 布局（oci-layout、index.json）或 `docker save` 的归档",
    ),
    (
        "there is no such file, and a registry is asked only by a build with --features inspect: that",
        "没有该文件，且只有以 --features inspect 构建的版本才会访问镜像仓库",
    ),
    (
        "failed to read the image {}: want HOST/PATH:TAG or HOST/PATH@sha256:DIGEST",
        "镜像 {} 无法读取：应为 主机/路径:标签 或 主机/路径@sha256:摘要",
    ),
    ("failed to verify {}: the bytes have another digest", "{} 校验未通过：内容的摘要不符"),
    ("failed to ask the registry {}: {}", "访问镜像仓库 {} 失败：{}"),
    ("failed to read {}: more than {}", "读取 {} 失败：超过 {}"),
    ("failed to read {}: {} is not supported", "读取 {} 失败：不支持 {}"),
    ("failed to read {}: {}", "读取 {} 失败：{}"),
    ("failed to find {}", "未找到 {}"),
    ("indexes inside indexes", "索引中的索引"),
    ("manifests of the index", "索引中的清单"),
    ("the manifest", "清单"),
    ("no config", "没有配置"),
    ("layers of the image", "镜像的层"),
    ("the layer", "层"),
    ("a sparse file, or one with two sizes,", "稀疏文件或大小不一致的文件"),
    ("bytes of a path", "路径的字节数"),
    ("paths of the image", "镜像中的路径"),
    ("Docker manifest schema 1", "Docker 第 1 版清单"),
    ("members of the archive", "归档中的成员"),
    ("images of manifest.json", "manifest.json 中的镜像"),
    ("what is no regular file", "非普通文件"),
    ("bytes of a document", "文档的字节数"),
    ("the digest {}", "摘要 {}"),
    ("manifests of index.json", "index.json 中的清单"),
    ("a redirect to nowhere", "重定向没有目标"),
    ("a redirect from TLS to plain HTTP", "从 TLS 重定向到明文 HTTP"),
    ("too many redirects", "重定向次数过多"),
    ("it asks for a password, and none is known for it", "需要口令，而没有可用的口令"),
    ("it asks for {}, which is not supported", "要求 {}，不支持"),
    ("it names no token service", "没有给出令牌服务"),
    ("its token service speaks plain HTTP", "其令牌服务使用明文 HTTP"),
    ("its token service answers {}", "其令牌服务返回 {}"),
    ("its token service gives no token", "其令牌服务没有给出令牌"),
    ("it does not let {} be read ({})", "不允许读取 {}（{}）"),
    ("it answers {} for {}", "返回 {}（{}）"),
    ("unpacked bytes of a layer, for its packed size", "相对于压缩大小的解压字节数"),
    ("unpacked bytes", "解压字节数"),
];
