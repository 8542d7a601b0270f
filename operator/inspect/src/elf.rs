//! What the headers of an executable or library say: machine, loader, libraries, marks of instruction sets, alignment.
//!
//! The `object` crate reads the structures and checks every offset; what a hostile file contradicts itself about is left
//! out as unknown. A file is only an ELF file if its header and program headers can be read.

use jiuzhou_engine::detect::{KernelVersion, World};
use memchr::memmem;
use object::elf;
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader};
use object::{BigEndian, Endian, FileKind, LittleEndian};

use crate::golang::GoBuild;

/// Sunway, as its vendor's toolchain numbers it; not in the upstream list of machines.
const EM_SW64: u16 = 268;
/// The first number it used.
const EM_SW64_OLD: u16 = 0x9916;

/// Pages are at most this large on the architectures looked at.
const LARGEST_PAGE: u64 = 64 << 10;
/// Most libraries or notes of one file that are believed.
const MANY: usize = 4096;
/// Longest name of a library or path.
const NAME: usize = 4096;

/// What jemalloc says when pages are larger than it was built for, and the variable it is set by: a program that carries
/// both texts carries it. In halves, because this program looks for them and does not carry it.
const JEMALLOC: [[&[u8]; 2]; 2] = [[b"Unsupported system ", b"page size"], [b"MALLOC", b"_CONF"]];
/// What glibc says of its version.
const GLIBC: &[u8] = b"GNU C Library (";

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElfKind {
    /// A program at a fixed address.
    Program,
    /// A library, or a program at any address.
    Shared,
    /// An object file, a core, a kernel module.
    Other,
}

/// What an ELF file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elf {
    /// `e_machine`.
    pub machine: u16,
    /// 64-bit.
    pub wide: bool,
    /// Little endian.
    pub little: bool,
    /// `e_flags`.
    pub flags: u32,
    /// What it is.
    pub kind: ElfKind,
    /// The loader it asks for.
    pub interpreter: Option<String>,
    /// Libraries it asks for.
    pub needed: Vec<String>,
    /// Where it looks for them.
    pub search: Vec<String>,
    /// Largest page size its segments can be mapped with, at most 64 KiB.
    pub page: Option<u64>,
    /// Lowest x86-64 level by the mark of the linker, 1 to 4.
    pub x86_level: Option<u8>,
    /// Oldest kernel by the mark of the C library.
    pub kernel: Option<KernelVersion>,
    /// Version of the GNU C library, when it is that.
    pub glibc: Option<KernelVersion>,
    /// How Go built it.
    pub go: Option<GoBuild>,
    /// It carries jemalloc, which is built for one largest page size.
    pub jemalloc: bool,
    /// It was longer than what is looked at.
    pub cut: bool,
}

impl Elf {
    /// Reads the headers; `None` when they are no ELF headers.
    #[must_use]
    pub fn read(bytes: &[u8], cut: bool) -> Option<Self> {
        let mut read = match FileKind::parse(bytes).ok()? {
            FileKind::Elf32 if bytes.get(5) == Some(&2) => headers::<elf::FileHeader32<BigEndian>>(bytes),
            FileKind::Elf32 => headers::<elf::FileHeader32<LittleEndian>>(bytes),
            FileKind::Elf64 if bytes.get(5) == Some(&2) => headers::<elf::FileHeader64<BigEndian>>(bytes),
            FileKind::Elf64 => headers::<elf::FileHeader64<LittleEndian>>(bytes),
            _ => None,
        }?;
        read.cut = cut;
        read.jemalloc = JEMALLOC.iter().all(|halves| memmem::find(bytes, &halves.concat()).is_some());
        read.go = GoBuild::find(bytes);
        read.glibc = glibc(bytes);
        Some(read)
    }

    /// The architecture by its Go name; `None` for machines of no cloud.
    #[must_use]
    pub fn architecture(&self) -> Option<&'static str> {
        Some(match (self.machine, self.wide) {
            (elf::EM_X86_64, true) => "amd64",
            (elf::EM_386, _) => "386",
            (elf::EM_AARCH64, _) => "arm64",
            (elf::EM_ARM, _) => "arm",
            (elf::EM_LOONGARCH, true) => "loong64",
            (EM_SW64 | EM_SW64_OLD, _) => "sw64",
            (elf::EM_RISCV, true) => "riscv64",
            (elf::EM_PPC64, _) if self.little => "ppc64le",
            (elf::EM_PPC64, _) => "ppc64",
            (elf::EM_S390, true) => "s390x",
            (elf::EM_MIPS, true) if self.little => "mips64le",
            _ => return None,
        })
    }

    /// The machine for a person: the Go name, else the number.
    #[must_use]
    pub fn machine_name(&self) -> String {
        self.architecture().map_or_else(|| format!("e_machine {}", self.machine), str::to_owned)
    }

    /// Neither loader nor libraries.
    #[must_use]
    pub fn is_static(&self) -> bool {
        self.interpreter.is_none() && self.needed.is_empty()
    }

    /// The LoongArch ABI world, and whether that is certain: loader, oldest kernel and the object ABI of the new world are;
    /// an object ABI of 0 is what the old world has, and early toolchains of the new one wrote it, too.
    #[must_use]
    pub fn world(&self) -> Option<(World, bool)> {
        if self.machine != elf::EM_LOONGARCH {
            return None;
        }
        match self.interpreter.as_deref().map(|path| path.rsplit('/').next().unwrap_or(path)) {
            Some("ld.so.1") => return Some((World::Old, true)),
            Some(loader) if loader.starts_with("ld-linux-loongarch-") || loader.starts_with("ld-musl-loongarch64") => {
                return Some((World::New, true));
            }
            _ => {}
        }
        if let Some(kernel) = self.kernel {
            // glibc of the old world says 4.15, that of the new world 5.19, the first kernel with LoongArch.
            return Some((if kernel >= KernelVersion(5, 19, 0) { World::New } else { World::Old }, true));
        }
        let new = self.flags & elf::EF_LARCH_OBJABI_V1 != 0;
        Some(if new { (World::New, true) } else { (World::Old, false) })
    }
}

fn headers<H: FileHeader>(bytes: &[u8]) -> Option<Elf> {
    let header = H::parse(bytes).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, bytes).ok()?;
    let mut read = Elf {
        machine: header.e_machine(endian),
        wide: header.is_class_64(),
        little: header.is_little_endian(),
        flags: header.e_flags(endian),
        kind: match header.e_type(endian) {
            elf::ET_EXEC => ElfKind::Program,
            elf::ET_DYN => ElfKind::Shared,
            _ => ElfKind::Other,
        },
        interpreter: None,
        needed: Vec::new(),
        search: Vec::new(),
        page: None,
        x86_level: None,
        kernel: None,
        glibc: None,
        go: None,
        jemalloc: false,
        cut: false,
    };
    for segment in segments.iter().take(MANY) {
        match segment.p_type(endian) {
            elf::PT_LOAD => {
                let page = page_of::<H>(segment, endian);
                read.page = Some(read.page.map_or(page, |before| before.min(page)));
            }
            elf::PT_INTERP => {
                let path = segment.interpreter(endian, bytes).ok().flatten();
                read.interpreter = path.filter(|path| path.len() <= NAME).map(text);
            }
            elf::PT_NOTE => notes::<H>(segment, endian, bytes, &mut read),
            _ => {}
        }
    }
    dynamic::<H>(segments, endian, bytes, &mut read);
    Some(read)
}

/// The largest page size at which offset and address of a segment stay congruent and its alignment suffices: what the
/// kernel and the loader of glibc ask for ("ELF load command address/offset not properly aligned").
fn page_of<H: FileHeader>(segment: &H::ProgramHeader, endian: H::Endian) -> u64 {
    let align: u64 = segment.p_align(endian).into();
    let address: u64 = segment.p_vaddr(endian).into();
    let offset: u64 = segment.p_offset(endian).into();
    let apart = address.wrapping_sub(offset);
    // 2^63 for 0: every size is congruent.
    let congruent = 1_u64 << apart.trailing_zeros().min(63);
    let align = if align.is_power_of_two() { align } else { 1 };
    align.min(congruent).min(LARGEST_PAGE)
}

fn notes<H: FileHeader>(segment: &H::ProgramHeader, endian: H::Endian, bytes: &[u8], read: &mut Elf) {
    let Ok(Some(mut notes)) = segment.notes(endian, bytes) else { return };
    for _ in 0..MANY {
        let Ok(Some(note)) = notes.next() else { return };
        if note.name() != elf::ELF_NOTE_GNU {
            continue;
        }
        if note.n_type(endian) == elf::NT_GNU_ABI_TAG {
            let word = |at: usize| note.desc().get(at..at + 4).and_then(|b| b.try_into().ok());
            let word = |at: usize| word(at).map(|b: [u8; 4]| endian.read_u32(b));
            // The first word is the system, 0 for Linux.
            if let (Some(0), Some(major), Some(minor), Some(patch)) = (word(0), word(4), word(8), word(12)) {
                read.kernel = Some(KernelVersion(major, minor, patch));
            }
        }
        let Some(mut properties) = note.gnu_properties(endian) else { continue };
        while let Ok(Some(property)) = properties.next() {
            if read.machine == elf::EM_X86_64 && property.pr_type() == elf::GNU_PROPERTY_X86_ISA_1_NEEDED {
                let bits = property.data_u32(endian).unwrap_or(0) & 0xf;
                // Bit n is level n + 1; the highest counts.
                let level = u8::try_from(32 - bits.leading_zeros()).ok().filter(|level| *level > 0);
                read.x86_level = read.x86_level.max(level);
            }
        }
    }
}

/// Libraries and search paths, found by addresses as the loader does; sections may be stripped.
fn dynamic<H: FileHeader>(segments: &[H::ProgramHeader], endian: H::Endian, bytes: &[u8], read: &mut Elf) {
    let Some(table) = segments.iter().find_map(|s| s.dynamic(endian, bytes).ok().flatten()) else { return };
    let entries = || {
        let entry = |entry: &H::Dyn| -> (i64, u64) { (entry.d_tag(endian).into(), entry.d_val(endian).into()) };
        table.iter().take(MANY).map(entry).take_while(|(tag, _)| *tag != elf::DT_NULL)
    };
    let value = |wanted: i64| entries().find(|(tag, _)| *tag == wanted).map(|(_, value)| value);
    let (Some(address), Some(size)) = (value(elf::DT_STRTAB), value(elf::DT_STRSZ)) else { return };
    let strings = segments.iter().filter(|s| s.p_type(endian) == elf::PT_LOAD).find_map(|segment| {
        let start: u64 = segment.p_vaddr(endian).into();
        let offset: u64 = segment.p_offset(endian).into();
        let length: u64 = segment.p_filesz(endian).into();
        let inside = address.checked_sub(start).filter(|inside| *inside < length)?;
        let from = usize::try_from(offset.checked_add(inside)?).ok()?;
        let until = from.checked_add(usize::try_from(size.min(length - inside)).ok()?)?;
        bytes.get(from..until.min(bytes.len()))
    });
    let Some(strings) = strings else { return };
    let string = |at: u64| {
        let rest = strings.get(usize::try_from(at).ok()?..)?;
        let end = rest.iter().take(NAME).position(|byte| *byte == 0)?;
        Some(text(&rest[..end]))
    };
    for (tag, value) in entries() {
        match tag {
            elf::DT_NEEDED => read.needed.extend(string(value)),
            elf::DT_RPATH | elf::DT_RUNPATH => {
                read.search.extend(string(value).iter().flat_map(|list| list.split(':')).map(str::to_owned));
            }
            _ => {}
        }
    }
}

/// `GNU C Library (Debian GLIBC 2.36-9+deb12u4) stable release version 2.36.`
fn glibc(bytes: &[u8]) -> Option<KernelVersion> {
    let at = memmem::find(bytes, GLIBC)?;
    let line = bytes.get(at..)?.split(|byte| *byte == b'\n' || *byte == 0).next()?;
    let line = String::from_utf8_lossy(line.get(..line.len().min(256))?).into_owned();
    let version = line.split_once("release version ")?.1.trim_end_matches('.');
    KernelVersion::parse(version.split(',').next()?.trim_end_matches('.'))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
