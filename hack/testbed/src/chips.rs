//! The kinds of member cluster, and fake nodes that look as real ones of that CPU do.
//!
//! A node shows what kubelet and node-feature-discovery show on such a machine: labels, `nodeInfo`, capacity. Which
//! platform that makes is not said here: the tests ask `jiuzhou inventory`.

use serde_json::{Value, json};

/// One kind of member cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chip {
    /// Name of the member and prefix of its nodes.
    pub name: &'static str,
    /// Its CPU for people.
    pub title: &'static str,
    /// `kubernetes.io/arch`, as Go names it.
    pub architecture: &'static str,
    /// Processors of one node.
    cpus: u32,
    /// Memory of one node in GiB.
    memory: u32,
    /// What node-feature-discovery says of the model; absent where it has no source for the architecture.
    model: Option<Model>,
    /// `cpu-cpuid.*` and `kernel-config.*` labels that are true.
    cpuid: &'static [&'static str],
    kernel_options: &'static [&'static str],
    /// Labels an administrator sets.
    declared: &'static [(&'static str, &'static str)],
    os: Os,
}

/// `cpu-model.*` of node-feature-discovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Model {
    vendor: &'static str,
    family: u32,
    id: u32,
    threads: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Os {
    id: &'static str,
    version: &'static str,
    image: &'static str,
    kernel: &'static str,
}

const KYLIN: &str = "Kylin Linux Advanced Server V10 (Halberd)";

/// Every kind. The first four are what a set has unless asked otherwise.
pub const CHIPS: [Chip; 5] = [
    Chip {
        name: "kunpeng",
        title: "鲲鹏 Kunpeng 920",
        architecture: "arm64",
        cpus: 64,
        memory: 256,
        // MIDR 0x48/0xd01, variant 1, revision 0.
        model: Some(Model { vendor: "VendorUnknown", family: 31, id: 53_264, threads: false }),
        cpuid: &[
            "AES", "ASIMDDP", "ASIMDHP", "ASIMDRDM", "ATOMICS", "CRC32", "DCPOP", "FCMA", "FPHP", "JSCVT", "PMULL",
            "SHA1", "SHA2",
        ],
        kernel_options: &["ARM64_4K_PAGES"],
        declared: &[],
        os: Os {
            id: "openEuler",
            version: "22.03",
            image: "openEuler 22.03 (LTS-SP4)",
            kernel: "5.10.0-216.0.0.115.oe2203sp4.aarch64",
        },
    },
    Chip {
        name: "phytium",
        title: "飞腾 Phytium S2500",
        architecture: "arm64",
        cpus: 128,
        memory: 256,
        // MIDR 0x70/0x663, revision 3: the core of several chips, so the administrator names the chip. No atomics.
        model: Some(Model { vendor: "VendorUnknown", family: 31, id: 26_163, threads: false }),
        cpuid: &["AES", "CRC32", "PMULL", "SHA1", "SHA2"],
        kernel_options: &["ARM64_64K_PAGES"],
        declared: &[("chips.jiuzhou.dev/platform", "phytium-s2500")],
        os: Os { id: "kylin", version: "V10", image: KYLIN, kernel: "4.19.90-89.11.v2401.ky10.aarch64" },
    },
    Chip {
        name: "hygon",
        title: "海光 Hygon C86 7285",
        architecture: "amd64",
        cpus: 64,
        memory: 256,
        model: Some(Model { vendor: "Hygon", family: 24, id: 1, threads: true }),
        cpuid: &["AESNI", "AVX", "AVX2", "CLMUL", "FMA3", "SHA", "X86_64_V1", "X86_64_V2", "X86_64_V3"],
        kernel_options: &[],
        declared: &[],
        os: Os { id: "kylin", version: "V10", image: KYLIN, kernel: "4.19.90-89.11.v2401.ky10.x86_64" },
    },
    Chip {
        name: "x86",
        title: "Intel Xeon (x86-64-v4)",
        architecture: "amd64",
        cpus: 64,
        memory: 256,
        model: Some(Model { vendor: "Intel", family: 6, id: 106, threads: true }),
        cpuid: &[
            "AESNI",
            "AVX",
            "AVX2",
            "AVX512BW",
            "AVX512CD",
            "AVX512DQ",
            "AVX512F",
            "AVX512VL",
            "CLMUL",
            "FMA3",
            "SHA",
            "X86_64_V1",
            "X86_64_V2",
            "X86_64_V3",
            "X86_64_V4",
        ],
        kernel_options: &[],
        declared: &[],
        os: Os {
            id: "openEuler",
            version: "22.03",
            image: "openEuler 22.03 (LTS-SP4)",
            kernel: "5.10.0-216.0.0.115.oe2203sp4.x86_64",
        },
    },
    Chip {
        name: "loongson",
        title: "龙芯 Loongson 3C5000",
        architecture: "loong64",
        cpus: 32,
        memory: 128,
        // node-feature-discovery has no CPU source for loong64.
        model: None,
        cpuid: &[],
        kernel_options: &[],
        declared: &[("chips.jiuzhou.dev/platform", "loongson-3c5000")],
        os: Os {
            id: "openEuler",
            version: "24.03",
            image: "openEuler 24.03 (LTS-SP1)",
            kernel: "6.6.0-72.0.0.76.oe2403sp1.loongarch64",
        },
    },
];

/// How many of [`CHIPS`] a set has unless asked otherwise.
pub const USUAL: usize = 4;
/// Nodes of a member.
pub const NODES: usize = 3;

/// The kind with a name.
#[must_use]
pub fn chip(name: &str) -> Option<&'static Chip> {
    CHIPS.iter().find(|chip| chip.name == name)
}

impl Chip {
    /// The nodes of a member as one `List` that `kubectl apply` takes.
    #[must_use]
    pub fn nodes(&self, kubernetes: &str) -> Value {
        let items: Vec<Value> = (1..=NODES).map(|number| self.node(number, kubernetes)).collect();
        json!({ "apiVersion": "v1", "kind": "List", "items": items })
    }

    fn node(&self, number: usize, kubernetes: &str) -> Value {
        let name = format!("{}-{number}", self.name);
        let memory = u64::from(self.memory) * 1024 * 1024;
        json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "labels": self.labels(&name),
                "annotations": { "kwok.x-k8s.io/node": "fake" },
            },
            "status": {
                // The system keeps half a GiB and some disk for itself.
                "allocatable": self.resources(memory - 512 * 1024, 420),
                "capacity": self.resources(memory, 460),
                "nodeInfo": {
                    "architecture": self.architecture,
                    "bootID": "",
                    "containerRuntimeVersion": "containerd://1.7.27",
                    "kernelVersion": self.os.kernel,
                    "kubeProxyVersion": kubernetes,
                    "kubeletVersion": kubernetes,
                    "machineID": "",
                    "operatingSystem": "linux",
                    "osImage": self.os.image,
                    "systemUUID": "",
                },
            },
        })
    }

    fn resources(&self, memory_kib: u64, disk_gib: u32) -> Value {
        json!({
            "cpu": self.cpus.to_string(),
            "memory": format!("{memory_kib}Ki"),
            "ephemeral-storage": format!("{disk_gib}Gi"),
            "pods": "110",
        })
    }

    fn labels(&self, name: &str) -> Value {
        const NFD: &str = "feature.node.kubernetes.io";
        let mut labels = json!({
            "kubernetes.io/arch": self.architecture,
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
            "node-role.kubernetes.io/worker": "",
        });
        let mut set = |key: String, value: String| labels[key] = Value::String(value);
        if let Some(model) = self.model {
            set(format!("{NFD}/cpu-model.vendor_id"), model.vendor.to_owned());
            set(format!("{NFD}/cpu-model.family"), model.family.to_string());
            set(format!("{NFD}/cpu-model.id"), model.id.to_string());
            set(format!("{NFD}/cpu-model.hypervisor"), "none".to_owned());
            set(format!("{NFD}/cpu-hardware_multithreading"), model.threads.to_string());
        }
        for flag in self.cpuid {
            set(format!("{NFD}/cpu-cpuid.{flag}"), "true".to_owned());
        }
        for option in self.kernel_options {
            set(format!("{NFD}/kernel-config.{option}"), "true".to_owned());
        }
        set(format!("{NFD}/system-os_release.ID"), self.os.id.to_owned());
        set(format!("{NFD}/system-os_release.VERSION_ID"), self.os.version.to_owned());
        for (key, value) in self.declared {
            set((*key).to_owned(), (*value).to_owned());
        }
        labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found_again() {
        for one in &CHIPS {
            assert_eq!(chip(one.name), Some(one));
        }
        assert_eq!(chip("sparc"), None);
    }

    #[test]
    fn a_node_shows_its_architecture_in_label_and_node_info() {
        for chip in &CHIPS {
            let nodes = chip.nodes("v1.36.3");
            let items = nodes["items"].as_array().unwrap();
            assert_eq!(items.len(), NODES);
            for node in items {
                assert_eq!(node["metadata"]["labels"]["kubernetes.io/arch"], chip.architecture);
                assert_eq!(node["status"]["nodeInfo"]["architecture"], chip.architecture);
                let kernel = node["status"]["nodeInfo"]["kernelVersion"].as_str().unwrap();
                let machine = match chip.architecture {
                    "arm64" => "aarch64",
                    "amd64" => "x86_64",
                    _ => "loongarch64",
                };
                assert!(kernel.ends_with(machine), "{kernel}");
            }
        }
    }
}
