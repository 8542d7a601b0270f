//! From what the user named on the command line to the bytes of files, one at a time.
//!
//! Folders are read recursively in name order, so that two machines see the same sequence. Whatever cannot be read
//! becomes a finding and the rest goes on. What the bytes mean is the door's business (`yaml`).

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use jiuzhou_engine::terms::{Code, Finding, Place, Reason};

/// The name of standard input, as an input and in places.
pub const STDIN: &str = "-";

/// Nested folders that are followed. Deeper trees are made by mistake or by attackers.
const FOLDERS: usize = 64;

/// File names that hold instructions for kustomize and no objects.
const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Calls `each` with name and bytes of every file behind `inputs`: files as they are, folders recursively (`*.yaml`,
/// `*.yml`, `*.json`; hidden ones left out), `-` for `stdin`. No file is read twice.
///
/// At most `bytes` + 1 bytes of a file are read: enough for the door to see that it is too large.
pub fn read_each(
    inputs: &[String],
    stdin: &mut dyn Read,
    bytes: usize,
    each: &mut dyn FnMut(&str, &[u8]),
) -> Vec<Finding> {
    let mut walk = Walk { each, bytes, seen: BTreeSet::new(), findings: Vec::new() };
    for input in inputs {
        if input == STDIN {
            if walk.seen.insert(PathBuf::from(STDIN)) {
                walk.take(STDIN, stdin);
            } else {
                walk.skip(STDIN, "already read");
            }
        } else {
            walk.named(Path::new(input));
        }
    }
    walk.findings
}

struct Walk<'a> {
    each: &'a mut dyn FnMut(&str, &[u8]),
    bytes: usize,
    /// Canonical paths of files and folders already visited: ends loops of links and double reading.
    seen: BTreeSet<PathBuf>,
    findings: Vec<Finding>,
}

impl Walk<'_> {
    /// A path the user wrote: read whatever its name, pipes included.
    fn named(&mut self, path: &Path) {
        match fs::metadata(path) {
            Ok(meta) if meta.is_dir() => self.folder(path, 0),
            Ok(_) => self.file(path),
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn folder(&mut self, path: &Path, depth: usize) {
        if depth > FOLDERS {
            return self.skip(&shown(path), "folders nested too deeply");
        }
        if !self.first_visit(path) {
            return self.skip(&shown(path), "already read, or a link to a folder above");
        }
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(path, &error),
        };
        let mut paths = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => paths.push(entry.path()),
                Err(error) => self.unreadable(path, &error),
            }
        }
        paths.sort();
        for path in paths {
            if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
                continue;
            }
            match fs::metadata(&path) {
                Ok(meta) if meta.is_dir() => self.folder(&path, depth + 1),
                Ok(meta) if meta.is_file() && is_manifest(&path) => self.file(&path),
                Ok(_) => {}
                Err(error) if is_manifest(&path) => self.unreadable(&path, &error),
                Err(_) => {}
            }
        }
    }

    fn file(&mut self, path: &Path) {
        let name = shown(path);
        if path.file_name().is_some_and(|file| KUSTOMIZATIONS.iter().any(|k| file == *k)) {
            let reason = Reason::new(Code::KustomizationSkipped).object(name.as_str());
            self.findings.push(Finding::new(reason).at(top_of(&name)));
            return;
        }
        if !self.first_visit(path) {
            return self.skip(&name, "already read");
        }
        match File::open(path) {
            Ok(mut file) => self.take(&name, &mut file),
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn take(&mut self, name: &str, from: &mut dyn Read) {
        let mut bytes = Vec::new();
        let limit = u64::try_from(self.bytes).unwrap_or(u64::MAX).saturating_add(1);
        match from.take(limit).read_to_end(&mut bytes) {
            Ok(_) => (self.each)(name, &bytes),
            Err(error) => self.unreadable(Path::new(name), &error),
        }
    }

    /// Pipes have no canonical path; each is visited once by its name.
    fn first_visit(&mut self, path: &Path) -> bool {
        self.seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()))
    }

    fn unreadable(&mut self, path: &Path, error: &std::io::Error) {
        let name = shown(path);
        let reason = Reason::new(Code::FileUnreadable).object(name.as_str()).seen(told(error));
        self.findings.push(Finding::new(reason).at(top_of(&name)));
    }

    fn skip(&mut self, name: &str, why: &str) {
        let reason = Reason::new(Code::PathSkipped).object(name).seen(why);
        self.findings.push(Finding::new(reason).at(top_of(name)));
    }
}

/// Why a file cannot be read, in the words of the standard library where they mean something to a person.
fn told(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        kind => kind.to_string(),
    }
}

fn is_manifest(path: &Path) -> bool {
    let known = |extension: &std::ffi::OsStr| ["yaml", "yml", "json"].iter().any(|e| extension == *e);
    path.extension().is_some_and(known) || path.file_name().is_some_and(|name| name == "Kustomization")
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The place of a finding about a file as a whole.
pub(crate) fn top_of(name: &str) -> Place {
    Place { file: name.to_owned(), line: 1, column: 1, text: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(inputs: &[&str]) -> (Vec<String>, Vec<(Code, String)>) {
        let inputs: Vec<String> = inputs.iter().map(|s| (*s).to_owned()).collect();
        let mut names = Vec::new();
        let mut each = |name: &str, _: &[u8]| names.push(name.to_owned());
        let findings = read_each(&inputs, &mut "a: 1".as_bytes(), 10, &mut each);
        (names, findings.into_iter().map(|f| (f.reason.code, f.place.unwrap().file)).collect())
    }

    #[test]
    fn folders_are_read_in_order_without_hidden_and_foreign_files() {
        let dir = tempfile::tempdir().unwrap();
        for file in ["b.yaml", "a/z.yml", "a/y.json", ".git/x.yaml", "note.txt", "a/kustomization.yaml"] {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "a: 1").unwrap();
        }
        let root = dir.path().to_str().unwrap();
        let (read, findings) = names(&[root, &format!("{root}/b.yaml"), "-", "-"]);
        let short: Vec<_> = read.iter().map(|n| n.strip_prefix(root).unwrap_or(n)).collect();
        assert_eq!(short, ["/a/y.json", "/a/z.yml", "/b.yaml", "-"]);
        let codes: Vec<_> = findings.iter().map(|f| f.0).collect();
        assert_eq!(codes, [Code::KustomizationSkipped, Code::PathSkipped, Code::PathSkipped]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_folder_above_ends() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        fs::write(dir.path().join("a/x.yaml"), "a: 1").unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("a/loop")).unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join("a/gone.yaml")).unwrap();
        let (read, findings) = names(&[dir.path().to_str().unwrap()]);
        assert_eq!(read.len(), 1);
        assert_eq!(findings.iter().map(|f| f.0).collect::<Vec<_>>(), [Code::FileUnreadable, Code::PathSkipped]);
    }

    #[test]
    fn what_cannot_be_read_is_a_finding_and_the_rest_goes_on() {
        let (read, findings) = names(&["no/such/file.yaml", "-"]);
        assert_eq!(read, ["-"]);
        assert_eq!(findings, [(Code::FileUnreadable, "no/such/file.yaml".to_owned())]);
    }
}
