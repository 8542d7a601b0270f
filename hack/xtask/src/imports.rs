//! Who may import whom: the table of the architecture, as data. A change here is a change of architecture.

/// What one package may import among ours, and which outside packages its default build must never contain.
pub(crate) struct Room {
    /// Name of the package.
    pub(crate) package: &'static str,
    /// Our packages it may name in `[dependencies]`.
    pub(crate) may_import: &'static [&'static str],
    /// Outside packages that must not be reachable from it in the default build.
    pub(crate) must_not_reach: &'static [&'static str],
}

/// Networking: no default build of ours contains it.
const NETWORK: &[&str] = &["tokio", "hyper", "rustls"];
/// For the pure rooms: no Kubernetes, no YAML either.
const KUBE_YAML_NETWORK: &[&str] = &["kube", "k8s-openapi", "serde-saphyr", "tokio", "hyper", "rustls"];

/// Every room that exists; a package of ours that is missing here fails the check.
pub(crate) const ROOMS: &[Room] = &[
    Room { package: "jiuzhou-engine", may_import: &[], must_not_reach: KUBE_YAML_NETWORK },
    Room { package: "jiuzhou-data", may_import: &[], must_not_reach: KUBE_YAML_NETWORK },
    Room { package: "jiuzhou-api", may_import: &[], must_not_reach: NETWORK },
    Room { package: "jiuzhou-measure", may_import: &["jiuzhou-engine"], must_not_reach: KUBE_YAML_NETWORK },
    Room {
        package: "jiuzhou-study",
        may_import: &["jiuzhou-engine", "jiuzhou-measure"],
        must_not_reach: KUBE_YAML_NETWORK,
    },
    Room { package: "jiuzhou-objects", may_import: &["jiuzhou-api", "jiuzhou-engine"], must_not_reach: NETWORK },
    Room {
        package: "jiuzhou-intake",
        may_import: &["jiuzhou-api", "jiuzhou-engine", "jiuzhou-data", "jiuzhou-objects", "jiuzhou-measure"],
        must_not_reach: NETWORK,
    },
    Room {
        package: "jiuzhou-report",
        may_import: &["jiuzhou-engine", "jiuzhou-measure", "jiuzhou-study"],
        must_not_reach: &["kube", "k8s-openapi", "tokio", "hyper", "rustls"],
    },
    Room {
        package: "jiuzhou-records",
        may_import: &["jiuzhou-engine", "jiuzhou-measure"],
        must_not_reach: KUBE_YAML_NETWORK,
    },
    Room {
        package: "jiuzhou-inspect",
        may_import: &["jiuzhou-engine"],
        must_not_reach: &["kube", "k8s-openapi", "tokio", "hyper", "rustls"],
    },
    Room {
        package: "jiuzhou-member",
        may_import: &["jiuzhou-api", "jiuzhou-engine", "jiuzhou-objects"],
        must_not_reach: &[],
    },
    Room {
        package: "jiuzhou-control",
        may_import: &[
            "jiuzhou-api",
            "jiuzhou-engine",
            "jiuzhou-data",
            "jiuzhou-objects",
            "jiuzhou-intake",
            "jiuzhou-member",
            "jiuzhou-records",
            "jiuzhou-measure",
            "jiuzhou-report",
        ],
        must_not_reach: &[],
    },
    Room {
        package: "jiuzhou-console",
        may_import: &[
            "jiuzhou-api",
            "jiuzhou-engine",
            "jiuzhou-intake",
            "jiuzhou-report",
            "jiuzhou-records",
            "jiuzhou-measure",
            "jiuzhou-study",
        ],
        must_not_reach: &[],
    },
    Room {
        package: "jiuzhou",
        may_import: &[
            "jiuzhou-api",
            "jiuzhou-engine",
            "jiuzhou-data",
            "jiuzhou-objects",
            "jiuzhou-intake",
            "jiuzhou-member",
            "jiuzhou-records",
            "jiuzhou-measure",
            "jiuzhou-study",
            "jiuzhou-report",
            "jiuzhou-inspect",
            "jiuzhou-control",
            "jiuzhou-console",
        ],
        must_not_reach: NETWORK,
    },
];

/// Packages of ours that are tools or tests and may import anything.
pub(crate) const OUTSIDE_THE_TABLE: &[&str] =
    &["bench", "testbed", "xtask", "jiuzhou-tests", "jiuzhou-chart", "jiuzhou-world", "jiuzhou-e2e"];
