//! Flags of the commands about images: `inspect`, `find`.

use std::path::PathBuf;

use clap::Args;
use jiuzhou_engine::terms::Digest;

use super::{FailOn, Input, Output};

/// `inspect`
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// OCI layout folders, archives of `docker save` or `skopeo copy oci-archive:`, `-` for an archive on standard input, or images in a registry (builds with the feature `inspect`)
    #[arg(value_name = "IMAGE", required = true)]
    pub images: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: Output,
    /// Write what was found as ImageProfiles to this YAML file; `-` is standard output, in place of the report
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub profiles: Option<PathBuf>,
    /// Write the packages that were found to this file, as CycloneDX in JSON; `find` reads it
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub sbom: Option<PathBuf>,
    /// Name of the image, where the source has none: HOST/PATH[:TAG]
    #[arg(long, value_name = "IMAGE")]
    pub image_name: Option<String>,
    /// Digest of the image in its registry, where the archive has none
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    pub digest: Option<Digest>,
    /// Look at this command instead of the image's own, as a workload would run it; repeat it for each word
    #[arg(long = "command", value_name = "WORD", allow_hyphen_values = true)]
    pub container_command: Vec<String>,
    /// Ask this registry in place of another: HOST=OTHER[/PREFIX]; may be repeated
    #[arg(long, value_name = "HOST=OTHER", help_heading = "Registry")]
    pub mirror: Vec<String>,
    /// Speak HTTP without TLS with the registry; always for localhost
    #[arg(long, help_heading = "Registry")]
    pub plain_http: bool,
    /// File of credentials, as Docker writes it [default: DOCKER_CONFIG or ~/.docker/config.json]
    #[arg(long, value_name = "FILE", help_heading = "Registry")]
    pub registry_config: Option<PathBuf>,
    /// Exit with 3 when a finding weighs at least this much
    #[arg(long = "fail-on", value_enum, default_value_t = FailOn::Error, value_name = "SEVERITY", help_heading = "Gate")]
    pub fail_on: FailOn,
}

fn digest(text: &str) -> Result<Digest, crate::failure::Failure> {
    Digest::parse(text).ok_or(crate::failure::Failure::Digest)
}

/// `find`
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["find_image", "package", "cve"])))]
pub struct FindArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub input: Input,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: Output,
    /// Workloads that run this image: a name, with tag or digest or without, or a part of the name with `*`
    #[arg(id = "find_image", long = "image", value_name = "IMAGE")]
    pub image: Option<String>,
    /// Workloads whose images contain this package: NAME or NAME@VERSION, `*` for any part
    #[arg(long, value_name = "PACKAGE")]
    pub package: Option<String>,
    /// Workloads whose images an SBOM or its vulnerability list says are affected, e.g. CVE-2021-44228
    #[arg(long, value_name = "ID")]
    pub cve: Option<String>,
    /// SBOM or vulnerability list in JSON (CycloneDX, SPDX), or a folder of them; may be repeated
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub sbom: Vec<PathBuf>,
}
