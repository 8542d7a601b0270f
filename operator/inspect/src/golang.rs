//! What a Go program says of how it was built: the build information the linker puts into every executable.
//!
//! `debug/buildinfo` of Go describes the form: a magic of 14 bytes, pointer size and flags, and since Go 1.18 two strings
//! with their length as a varint at byte 32: the version and the module information. Older programs hold pointers to
//! their strings; of those only that they are Go is said.

use memchr::memmem;

const MAGIC: &[u8] = b"\xff Go buildinf:";
/// Flag of the form whose strings follow.
const INLINE: u8 = 2;
/// The module information stands between two marks of this length.
const MARK: usize = 16;
/// Longest text that is believed: module lists of the largest programs stay under 1 MiB.
const LONGEST: usize = 4 << 20;

/// How a Go program was built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GoBuild {
    /// Version of Go, e.g. `go1.24.1`; empty for programs older than Go 1.18.
    pub version: String,
    /// Settings such as `GOARM64=v8.0` and `CGO_ENABLED=0`.
    pub settings: Vec<(String, String)>,
    /// Main module.
    pub main: Option<(String, String)>,
    /// Modules and their versions, replaced ones by what replaces them.
    pub modules: Vec<(String, String)>,
}

impl GoBuild {
    /// Finds the build information in the bytes of an executable.
    pub(crate) fn find(bytes: &[u8]) -> Option<Self> {
        // The linker aligns it to 16; other places are strings of programs that look for it themselves.
        memmem::find_iter(bytes, MAGIC).filter(|at| at % 16 == 0).find_map(|at| Self::at(bytes.get(at..)?))
    }

    fn at(blob: &[u8]) -> Option<Self> {
        let (pointer, flags) = (*blob.get(14)?, *blob.get(15)?);
        if flags & INLINE == 0 {
            return (matches!(pointer, 4 | 8) && flags <= 1).then(Self::default);
        }
        let (version, rest) = string(blob.get(32..)?)?;
        let version = std::str::from_utf8(version).ok().filter(|v| v.starts_with("go") || v.starts_with("devel"))?;
        let mut build = Self { version: version.to_owned(), ..Self::default() };
        let modules = string(rest).map(|(text, _)| text).unwrap_or_default();
        let text = modules.get(MARK..modules.len().saturating_sub(MARK)).unwrap_or_default();
        build.lines(&String::from_utf8_lossy(text));
        Some(build)
    }

    fn lines(&mut self, text: &str) {
        for line in text.lines() {
            let mut fields = line.split('\t');
            let kind = fields.next().unwrap_or_default();
            let name = fields.next().unwrap_or_default().to_owned();
            let version = fields.next().unwrap_or_default().to_owned();
            match kind {
                "mod" => self.main = Some((name, version)),
                "dep" => self.modules.push((name, version)),
                "=>" => {
                    self.modules.pop();
                    self.modules.push((name, version));
                }
                "build" => self.settings.extend(name.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned()))),
                _ => {}
            }
        }
    }

    /// A setting by its name.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether C code was linked in; `None` when it does not say.
    #[must_use]
    pub fn cgo(&self) -> Option<bool> {
        self.setting("CGO_ENABLED").map(|value| value != "0")
    }

    /// Major and minor of the version of Go.
    fn release(&self) -> Option<(u32, u32)> {
        let mut numbers = self.version.strip_prefix("go")?.split(|c: char| !c.is_ascii_digit());
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    }

    /// The instruction set level that Go's compiler wrote for, as needs spell it.
    ///
    /// Before GOAMD64 (Go 1.18) and GOARM64 (Go 1.23) there was the baseline only.
    #[must_use]
    pub fn level(&self, architecture: &str) -> Option<String> {
        match architecture {
            "amd64" => match self.setting("GOAMD64") {
                Some(level) => Some(format!("x86-64-{}", level.split(',').next().unwrap_or_default())),
                None => (self.release()? < (1, 18)).then(|| "x86-64-v1".to_owned()),
            },
            "arm64" => match self.setting("GOARM64") {
                Some(level) => Some(format!("arm{}", level.split(',').next().unwrap_or_default())),
                None => (self.release()? < (1, 23)).then(|| "armv8.0".to_owned()),
            },
            "loong64" => Some("la64".to_owned()),
            _ => None,
        }
    }

    /// Features asked for beside the level: `GOARM64=v8.0,lse,crypto`.
    #[must_use]
    pub fn features(&self, architecture: &str) -> Vec<&'static str> {
        let options = if architecture == "arm64" { self.setting("GOARM64").unwrap_or_default() } else { "" };
        let of = |option: &str| -> &'static [&'static str] {
            match option {
                "lse" => &["atomics"],
                "crypto" => &["aes", "pmull", "sha1", "sha2"],
                _ => &[],
            }
        };
        options.split(',').skip(1).flat_map(of).copied().collect()
    }
}

/// A string with its length in front, and what follows.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length: usize = 0;
    for (index, byte) in bytes.iter().take(9).enumerate() {
        length |= usize::from(byte & 0x7f).checked_shl(u32::try_from(index).ok()?.checked_mul(7)?)?;
        if byte & 0x80 == 0 {
            let rest = bytes.get(index + 1..)?;
            return (length <= LONGEST && length <= rest.len()).then(|| rest.split_at(length));
        }
    }
    None
}
