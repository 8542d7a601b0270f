//! Which files of an image run: the program of its command, its loader and its libraries.
//!
//! The command is read as a container would run it, with the usual wrappers seen through: scripts that end in
//! `exec "$@"`, `tini --`, `sh -c "…"`. Libraries are found as the loader finds them. What is opened only at run time
//! cannot be seen, but for the places where Python, Java and Node keep it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use jiuzhou_engine::terms::{Code, Reason};

use crate::elf::Elf;
use crate::entry::{Program, Role, Runtime};
use crate::limits::Limits;
use crate::oci::Run;
use crate::tree::{Content, File, Tree};

/// Where programs are when the image does not say.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Programs that start the program behind them.
const WRAPPERS: [&str; 12] = [
    "tini",
    "tini-static",
    "dumb-init",
    "catatonit",
    "gosu",
    "su-exec",
    "setpriv",
    "runuser",
    "env",
    "nice",
    "exec",
    "init",
];
/// Shells, by the name of their file.
const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "busybox", "zsh"];
/// Files looked at for one entry.
const OBJECTS: usize = 8192;
/// Scripts that name a script as their interpreter.
const SCRIPTS: usize = 4;

/// What runs.
#[derive(Debug, Default)]
pub(crate) struct Running {
    pub(crate) programs: Vec<Program>,
    pub(crate) runtime: Runtime,
    pub(crate) remarks: Vec<Reason>,
}

/// Looks at a command.
pub(crate) fn running(tree: &Tree, run: &Run, limits: &Limits) -> Running {
    let mut search = Search { tree, run, limits, found: Running::default(), seen: BTreeSet::new() };
    search.command();
    search.runtime();
    search.extensions();
    search.libraries();
    search.found
}

struct Search<'a> {
    tree: &'a Tree,
    run: &'a Run,
    limits: &'a Limits,
    found: Running,
    seen: BTreeSet<String>,
}

impl Search<'_> {
    fn env(&self, name: &str) -> Option<&str> {
        self.run.env.iter().rev().find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name)).map(|(_, v)| v)
    }

    /// A program as `execvp` finds it.
    fn program(&self, word: &str) -> Option<(String, Arc<File>)> {
        if word.contains('/') {
            let path = if word.starts_with('/') { word.to_owned() } else { format!("{}/{word}", self.run.working_dir) };
            return self.tree.file(&path, self.limits);
        }
        let path = self.env("PATH").unwrap_or(PATH);
        path.split(':').find_map(|folder| {
            self.tree.file(&format!("{folder}/{word}"), self.limits).filter(|(_, file)| file.runnable)
        })
    }

    fn command(&mut self) {
        let words: Vec<&str> = self.run.entrypoint.iter().chain(&self.run.cmd).map(String::as_str).collect();
        let Some((first, rest)) = words.split_first() else {
            return self.found.remarks.push(Reason::new(Code::EntryPointNone));
        };
        let Some(mut through) = self.take(first) else {
            if self.tree.holes.is_empty() {
                self.found.remarks.push(Reason::new(Code::EntryPointMissing).object(*first));
            }
            return;
        };
        // `sh -c "exec java -jar app.jar"`: every word that is a program counts, one too many does no harm.
        if let Some(at) = rest.iter().position(|word| *word == "-c").filter(|_| is_shell(first)) {
            let text = rest.get(at + 1).copied().unwrap_or_default();
            let split = |c: char| c.is_whitespace() || ";&|()`\"'".contains(c);
            for word in text.split(split).filter(|word| !word.is_empty() && !word.starts_with('-')) {
                self.take(word);
            }
            return self.hidden(first);
        }
        for word in rest.iter().filter(|word| !word.starts_with('-') && !word.contains('=')) {
            // Behind a wrapper or a script stands a command; behind a program stand its arguments.
            if !through {
                break;
            }
            if let Some(wraps) = self.take(word) {
                through = wraps;
            }
        }
        self.hidden(first);
    }

    /// A shell alone says nothing of what it starts.
    fn hidden(&mut self, first: &str) {
        let wraps = |program: &Program| is_shell(&program.path) || WRAPPERS.contains(&name_of(&program.path));
        if self.found.programs.iter().all(wraps) {
            self.found.remarks.push(Reason::new(Code::ProgramBehindScript).object(first));
        }
    }

    /// Takes a program in; whether what follows it is a command again. `None` when it is not there.
    fn take(&mut self, word: &str) -> Option<bool> {
        let (mut path, mut file) = self.program(word)?;
        for _ in 0..SCRIPTS {
            match &file.content {
                Content::Elf(elf) => {
                    let wraps = WRAPPERS.contains(&name_of(&path)) || is_shell(&path);
                    self.object(&path, elf, Role::Program);
                    return Some(wraps);
                }
                Content::Script(line) => {
                    let interpreter = interpreter(line)?;
                    let (next, target) = self.program(interpreter)?;
                    (path, file) = (next, target);
                    if let Content::Elf(elf) = &file.content {
                        let shell = is_shell(&path);
                        self.object(&path, elf, Role::Interpreter);
                        return Some(shell);
                    }
                }
                Content::Other | Content::Text(_) => return None,
            }
        }
        None
    }

    fn object(&mut self, path: &str, elf: &Elf, role: Role) {
        if self.found.programs.len() < OBJECTS && self.seen.insert(path.to_owned()) {
            self.found.programs.push(Program { path: format!("/{path}"), role, elf: elf.clone() });
        }
    }

    fn runtime(&mut self) {
        let runtimes = self.found.programs.iter().map(runtime_of);
        // What is more special says more: a shell starts Java, Java does not start a shell.
        self.found.runtime = runtimes.max().unwrap_or_default();
        let go = self.found.programs.iter().filter(|program| runtime_of(program) == Runtime::Go).count();
        let native = self
            .found
            .programs
            .iter()
            .any(|program| runtime_of(program) == Runtime::Native && !WRAPPERS.contains(&name_of(&program.path)));
        if self.found.runtime == Runtime::Go && (go == 0 || native) {
            self.found.runtime = Runtime::Native;
        }
    }

    /// What Python, Java and Node open at run time.
    fn extensions(&mut self) {
        let homes: Vec<String> = self
            .found
            .programs
            .iter()
            .filter(|program| runtime_of(program) == Runtime::Java)
            .filter_map(|program| program.path.trim_start_matches('/').rsplit_once("/bin/"))
            .map(|(home, _)| format!("{home}/"))
            .collect();
        let belongs = |path: &str| match self.found.runtime {
            Runtime::Java => homes.iter().any(|home| path.starts_with(home.as_str())) && path.ends_with(".so"),
            Runtime::Python => {
                ["/site-packages/", "/dist-packages/", "/lib-dynload/"].iter().any(|dir| path.contains(dir))
            }
            Runtime::Node => path.ends_with(".node"),
            _ => false,
        };
        let files = self.tree.files().filter(|(path, _)| belongs(path));
        let found: Vec<_> = files.map(|(path, file)| (path.to_owned(), Arc::clone(file))).collect();
        for (path, file) in found {
            if let Content::Elf(elf) = &file.content {
                self.object(&path, elf, Role::Extension);
            }
        }
    }

    fn libraries(&mut self) {
        let configured = self.configured();
        let mut missing = BTreeSet::new();
        let mut queue: VecDeque<usize> = (0..self.found.programs.len()).collect();
        while let Some(index) = queue.pop_front() {
            let Program { path, elf, .. } = self.found.programs[index].clone();
            let before = self.found.programs.len();
            if let Some(loader) = elf.interpreter.as_deref() {
                match self.tree.file(loader, self.limits) {
                    Some((at, file)) => {
                        if let Content::Elf(elf) = &file.content {
                            self.object(&at, elf, Role::Loader);
                        }
                    }
                    None if self.tree.holes.is_empty() => {
                        self.found.remarks.push(Reason::new(Code::LoaderMissing).object(path.as_str()).wanted(loader));
                    }
                    None => {}
                }
            }
            for name in &elf.needed {
                match self.library(name, &path, &elf, &configured) {
                    Some((at, library)) => self.object(&at, &library, Role::Library),
                    None if self.tree.holes.is_empty() && missing.insert(name.clone()) => {
                        let reason = Reason::new(Code::LibraryMissing).object(path.as_str()).wanted(name.as_str());
                        self.found.remarks.push(reason);
                    }
                    None => {}
                }
            }
            queue.extend(before..self.found.programs.len());
        }
    }

    /// Folders of `ld.so.conf`, one level of includes.
    fn configured(&self) -> Vec<String> {
        let mut folders = Vec::new();
        let mut texts: Vec<String> = self.tree.text("etc/ld.so.conf", self.limits).into_iter().collect();
        let included = self.tree.files().filter(|(path, _)| path.starts_with("etc/ld.so.conf.d/"));
        texts.extend(included.filter_map(|(path, _)| self.tree.text(path, self.limits)));
        for line in texts.iter().flat_map(|text| text.lines()) {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.starts_with('/') {
                folders.push(line.to_owned());
            }
        }
        folders
    }

    /// A library as the loader finds it; one for another machine is passed over, as the loader does.
    fn library(&self, name: &str, user: &str, elf: &Elf, configured: &[String]) -> Option<(String, Elf)> {
        let fits = |path: &str| -> Option<(String, Elf)> {
            let (at, file) = self.tree.file(path, self.limits)?;
            match &file.content {
                Content::Elf(found) if found.machine == elf.machine && found.wide == elf.wide => {
                    Some((at, (**found).clone()))
                }
                _ => None,
            }
        };
        if name.contains('/') {
            return fits(name);
        }
        let origin = user.rsplit_once('/').map_or("", |(folder, _)| folder);
        let own = elf.search.iter().map(|folder| folder.replace("$ORIGIN", origin).replace("${ORIGIN}", origin));
        let set = self.env("LD_LIBRARY_PATH").unwrap_or_default().split(':').filter(|folder| !folder.is_empty());
        let usual = usual_folders(elf).into_iter();
        let mut folders = own.chain(set.map(str::to_owned)).chain(configured.iter().cloned()).chain(usual);
        if let Some(found) = folders.find_map(|folder| fits(&format!("{folder}/{name}"))) {
            return Some(found);
        }
        // A launcher may set the path at run time (libjvm.so); anywhere in the image is not missing.
        self.tree.named(name).into_iter().find_map(fits)
    }
}

/// Folders every loader looks in, with those of Debian for the machine.
fn usual_folders(elf: &Elf) -> Vec<String> {
    let triplet = match elf.architecture() {
        Some("amd64") => "x86_64-linux-gnu",
        Some("arm64") => "aarch64-linux-gnu",
        Some("loong64") => "loongarch64-linux-gnu",
        Some("sw64") => "sw_64-linux-gnu",
        Some("386") => "i386-linux-gnu",
        Some("arm") => "arm-linux-gnueabihf",
        Some("riscv64") => "riscv64-linux-gnu",
        _ => "",
    };
    let plain = ["/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"].map(str::to_owned);
    let multi = [format!("/lib/{triplet}"), format!("/usr/lib/{triplet}")];
    plain.into_iter().chain(multi.into_iter().filter(|_| !triplet.is_empty())).collect()
}

/// The program of a line after `#!`, `env` seen through.
fn interpreter(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let first = words.next()?;
    if name_of(first) != "env" {
        return Some(first);
    }
    words.find(|word| !word.starts_with('-') && !word.contains('='))
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn is_shell(path: &str) -> bool {
    SHELLS.contains(&name_of(path))
}

/// What a program runs, by its name and its headers.
fn runtime_of(program: &Program) -> Runtime {
    let name = name_of(&program.path);
    let versioned = |stem: &str| {
        name.strip_prefix(stem).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-'))
    };
    if program.role == Role::Program || program.role == Role::Interpreter {
        if name == "java" {
            return Runtime::Java;
        }
        for (stem, runtime) in [
            ("python", Runtime::Python),
            ("pypy", Runtime::Python),
            ("node", Runtime::Node),
            ("dotnet", Runtime::Dotnet),
            ("php", Runtime::Php),
            ("php-fpm", Runtime::Php),
            ("ruby", Runtime::Ruby),
            ("perl", Runtime::Perl),
        ] {
            if versioned(stem) {
                return runtime;
            }
        }
    }
    if is_shell(&program.path) || WRAPPERS.contains(&name) {
        return Runtime::Shell;
    }
    if program.elf.go.is_some() && program.elf.is_static() { Runtime::Go } else { Runtime::Native }
}
