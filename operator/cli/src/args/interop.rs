//! Flags of the commands that meet other systems: `import`, `adopt`, `export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::fleet::{FormArg, OwnershipArg};
use super::{Input, name};

/// `import`
#[derive(Debug, Args)]
pub struct ImportArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub input: Input,
    /// Instead of files: the ClusterProfiles on the hub that another cluster manager publishes and that are no members (builds with the feature `hub`)
    #[arg(long, conflicts_with_all = ["paths", "filenames"])]
    pub from_hub: bool,
    /// The register of information systems as CSV in UTF-8: a system for each row; paths name what is there already, such as tenants
    #[arg(long, value_name = "FILE", conflicts_with = "from_hub")]
    pub register: Option<PathBuf>,
    /// Assets of information systems as CSV in UTF-8: virtual machines, machines, databases, middleware
    #[arg(long, value_name = "FILE", conflicts_with = "from_hub")]
    pub assets: Option<PathBuf>,
    /// Site of the clusters; asked for when the input has clusters
    #[arg(long = "site", id = "import_site", value_name = "NAME", value_parser = name)]
    pub site: Option<String>,
    /// Form of cloud
    #[arg(long, value_enum, value_name = "FORM", default_value_t = FormArg::Private)]
    pub form: FormArg,
    /// Whose the clusters are
    #[arg(long, value_enum, value_name = "OWNER", default_value_t = OwnershipArg::Government)]
    pub ownership: OwnershipArg,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub hub: super::HubArgs,
}

/// `adopt`
#[derive(Debug, Args)]
pub struct AdoptArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub input: Input,
    /// Read the running cluster of this kubeconfig instead of a dump; nothing is written to it (builds with the feature `hub`)
    #[arg(long = "kubeconfig", id = "adopt_kubeconfig", value_name = "FILE", help_heading = "Input")]
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig: read its running cluster instead of a dump
    #[arg(long = "context", id = "adopt_context", value_name = "NAME", help_heading = "Input")]
    pub context: Option<String>,
    /// Tenant the namespaces belong to
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub tenant: String,
    /// Its name for people
    #[arg(long, value_name = "TEXT")]
    pub tenant_title: Option<String>,
    /// GB/T 2260 code of the tenant; a Tenant is written only with it
    #[arg(long, value_name = "CODE")]
    pub region: Option<String>,
    /// Member cluster that was read: the workloads stay there
    #[arg(long = "cluster", id = "adopt_cluster", value_name = "NAME", value_parser = name)]
    pub cluster: Option<String>,
    /// Only this namespace; may be repeated [default: all but the cluster's own]
    #[arg(long = "namespace", id = "adopt_namespaces", short, value_name = "NAMESPACE", value_parser = name)]
    pub namespaces: Vec<String>,
    /// Write the commands by which the administrator of that cluster lets the objects be taken over to this file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub consent: Option<PathBuf>,
}

/// `export`
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// For which system
    #[arg(value_enum, value_name = "FORM", id = "export_form")]
    pub form: ExportForm,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub input: Input,
    /// Treat warnings as errors, and what is unknown as a refusal
    #[arg(long)]
    pub strict: bool,
}

/// A form of another system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportForm {
    /// OCM ManifestWorks: the rendered objects of each cluster
    ManifestWork,
    /// SIG PlacementDecisions: decisions with clusterProfileRef
    PlacementDecision,
    /// OCM PlacementDecisions: status.decisions, which Argo CD reads
    OcmPlacementDecision,
    /// Labels for the cluster Secrets of Argo CD, as patches
    ArgocdCluster,
}
