//! How much of an image is read: every amount that a hostile image could make large.

/// Bounds of one inspection. The defaults take every image met in practice and end a bomb in a minute or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one index, manifest or configuration. Registries accept 4 MiB.
    pub json: u64,
    /// Manifests of one index, and images of one source.
    pub manifests: usize,
    /// Layers of one image; overlayfs stacks at most 500 and Docker builds at most 127.
    pub layers: usize,
    /// Unpacked bytes of all layers of one platform.
    pub unpacked: u64,
    /// Unpacked bytes per packed byte, once a layer has grown over [`Limits::ratio_from`]. gzip packs zeros 1:1032;
    /// layers of programs stay under 1:10.
    pub ratio: u64,
    /// Where the ratio begins to count, so that a small layer of zeros is no bomb.
    pub ratio_from: u64,
    /// Paths of one image.
    pub paths: usize,
    /// Bytes of one path or link, that of PATH_MAX.
    pub path_bytes: usize,
    /// Bytes kept of one executable; what lies behind is not looked at, and that is told.
    pub executable: u64,
    /// Bytes of one text that is read: os-release, package lists.
    pub text: u64,
    /// Links followed on the way to a file, that of Linux.
    pub links: usize,
    /// Bytes of an archive that has to be unpacked or spooled before it can be read.
    pub archive: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1 << 20;
        const GIB: u64 = 1 << 30;
        Self {
            json: 4 * MIB,
            manifests: 256,
            layers: 512,
            unpacked: 64 * GIB,
            ratio: 200,
            ratio_from: 512 * MIB,
            paths: 2_000_000,
            path_bytes: 4096,
            executable: 512 * MIB,
            text: 32 * MIB,
            links: 40,
            archive: 64 * GIB,
        }
    }
}
