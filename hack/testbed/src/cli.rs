//! `up`, `down`, `status`, `break`, `mend` and `tools` for a person, the same behind `hack/clusters` and `cargo xtask clusters`.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::chips::{self, Chip};
use crate::plane::{Component, Plane};
use crate::set::{Row, Set};
use crate::tools::{Group, Tool, Tools};

const USAGE: &str = "\
Usage: hack/clusters COMMAND [--name NAME] [--members LIST]
       hack/clusters break FAULT MEMBER [--name NAME]
       hack/clusters mend MEMBER [--name NAME]

Real control planes on this machine: a dedicated hub and members with fake nodes of several CPUs.

  up       start a set, or what of it is not running
  status   show it and what to do next
  down     end it and remove everything of it
  break    hurt a member (or the hub), and say what to look at: member-down ends its API server at once,
           member-hangs lets it stand still with its connections open
  mend     bring back what was hurt
  tools    find the programs, or build them; also helm

  --name NAME      one set of several side by side (default: jiuzhou)
  --members LIST   of kunpeng,phytium,hygon,x86,loongson (default: the first four)

Programs come from $JIUZHOU_KUBE_BIN, $KUBEBUILDER_ASSETS, PATH, the user's cache, or are built with Go.
";

struct Arguments {
    command: String,
    words: Vec<String>,
    name: String,
    members: Vec<&'static Chip>,
}

/// Runs one command with its arguments, telling `say` line by line.
///
/// # Errors
/// When the arguments are not understood or the command fails.
pub fn run(arguments: impl Iterator<Item = String>, say: &mut dyn FnMut(&str)) -> Result<()> {
    let arguments = parse(arguments)?;
    let folder = folder(&arguments.name);
    match arguments.command.as_str() {
        "up" => up(&folder, &arguments.members, say),
        "down" => {
            let ended = Set::down(&folder)?;
            say(&format!("{}: {ended} processes ended, nothing left", arguments.name));
            Ok(())
        }
        "status" => status(&folder, &arguments.name, say),
        "tools" => {
            let tools = Tools::find(&[Group::Etcd, Group::Kubernetes, Group::Kwok, Group::Helm, Group::Crane], say)?;
            for (tool, path) in tools.all() {
                say(&format!("{:<24} {}", tool.name(), path.display()));
            }
            Ok(())
        }
        "break" => match arguments.words.as_slice() {
            [fault, member] => hurt(&folder, fault, member, say),
            _ => bail!("failed to understand it: break FAULT MEMBER\n{USAGE}"),
        },
        "mend" => match arguments.words.as_slice() {
            [member] => mend(&folder, member, say),
            _ => bail!("failed to understand it: mend MEMBER\n{USAGE}"),
        },
        "reap" => reap(&folder),
        "" | "help" | "--help" | "-h" => {
            say(USAGE.trim_end());
            Ok(())
        }
        other => bail!("failed to understand {other:?}\n{USAGE}"),
    }
}

/// The folder of a set with a name, below this checkout's `target`.
#[must_use]
pub fn folder(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").filter(|target| !target.is_empty()).map(PathBuf::from);
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("."));
    target.unwrap_or_else(|| workspace.join("target")).join("clusters").join(name)
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Arguments> {
    let mut parsed = Arguments {
        command: arguments.next().unwrap_or_default(),
        words: Vec::new(),
        name: "jiuzhou".to_owned(),
        members: chips::CHIPS.iter().take(chips::USUAL).collect(),
    };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().with_context(|| format!("failed to find the value of {argument}\n{USAGE}"));
        match argument.as_str() {
            "--name" => parsed.name = name(value()?)?,
            "--members" => parsed.members = members(&value()?)?,
            "--help" | "-h" => parsed.command = "help".to_owned(),
            word if ["break", "mend"].contains(&&*parsed.command) && !word.starts_with('-') => {
                parsed.words.push(word.to_owned());
            }
            other => bail!("failed to understand {other:?}\n{USAGE}"),
        }
    }
    Ok(parsed)
}

/// A name is one folder: no way out of the folder of sets.
fn name(name: String) -> Result<String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    ensure!(
        !name.is_empty() && name.len() <= 40 && name.chars().all(plain),
        "failed to use the name {name:?}: give at most 40 lower-case letters, digits and hyphens"
    );
    Ok(name)
}

fn members(list: &str) -> Result<Vec<&'static Chip>> {
    let one = |name: &str| {
        let known: Vec<&str> = chips::CHIPS.iter().map(|chip| chip.name).collect();
        chips::chip(name).with_context(|| format!("failed to find the member {name:?}: choose of {}", known.join(",")))
    };
    list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(one).collect()
}

fn up(folder: &Path, members: &[&'static Chip], say: &mut dyn FnMut(&str)) -> Result<()> {
    let tools = Tools::find(Group::CONTROL_PLANE, say)?;
    let began = Instant::now();
    let set = Set::up(folder, members, &tools, say)?;
    let took = began.elapsed().as_secs_f64();
    let rows = set.status(&tools)?;
    say(&format!("\n{}\nUp in {took:.1} s.{}\n", table(&rows), total(&rows)));
    say(&next(&set));
    Ok(())
}

fn status(folder: &Path, name: &str, say: &mut dyn FnMut(&str)) -> Result<()> {
    let Some(set) = Set::open(folder)? else {
        say(&format!("{name}: no such set; start one with hack/clusters up"));
        return Ok(());
    };
    let tools = Tools::find(Group::CONTROL_PLANE, &mut |_| {})?;
    let rows = set.status(&tools)?;
    say(&format!("{}{}\n", table(&rows), total(&rows)));
    say(&next(&set));
    Ok(())
}

/// A running set and one control plane of it.
fn plane_of<'a>(set: &'a Set, name: &str) -> Result<&'a Plane> {
    let known: Vec<&str> = set.planes().map(Plane::name).collect();
    let found = set.planes().find(|plane| plane.name() == name);
    found.with_context(|| format!("failed to find {name:?}: choose of {}", known.join(",")))
}

fn open(folder: &Path) -> Result<Set> {
    Set::open(folder)?.context("failed to find the set; start one with hack/clusters up")
}

/// Hurts a control plane and says what a person can watch.
fn hurt(folder: &Path, fault: &str, member: &str, say: &mut dyn FnMut(&str)) -> Result<()> {
    let set = open(folder)?;
    let plane = plane_of(&set, member)?;
    match fault {
        "member-down" => plane.kill(&[Component::ApiServer])?,
        "member-hangs" => plane.freeze(&[Component::ApiServer])?,
        other => bail!("failed to understand the fault {other:?}: choose of member-down,member-hangs"),
    }
    say(&format!("{member}: {fault}. Where Jiuzhou's operator runs on the hub, look at what follows:"));
    say("  kubectl --context hub get mc -w               # Reachable: False after 30 s; nothing is deleted");
    say(
        "  kubectl --context hub get fwl -A -w           # FailoverWaiting; after failover.afterSeconds in another place",
    );
    say("  kubectl --context hub get fpl -A -o yaml      # status.failover: since when, until when, what it waits for");
    say(&format!("  hack/clusters mend {member}"));
    Ok(())
}

/// Brings back what was hurt.
fn mend(folder: &Path, member: &str, say: &mut dyn FnMut(&str)) -> Result<()> {
    let set = open(folder)?;
    let plane = plane_of(&set, member)?;
    plane.thaw(&[Component::ApiServer])?;
    plane.start(&Tools::find(Group::CONTROL_PLANE, &mut |_| {})?)?;
    say(&format!(
        "{member} answers again: what was left there by copies that moved goes, and nothing moves back by itself"
    ));
    Ok(())
}

/// Waits until whoever holds the other end of standard input is gone, however it went, and ends the set.
fn reap(folder: &Path) -> Result<()> {
    let mut nothing = Vec::new();
    std::io::stdin().read_to_end(&mut nothing).context("failed to wait")?;
    Set::down(folder)?;
    Ok(())
}

fn table(rows: &[Row]) -> String {
    let mut lines = vec![["NAME", "VERSION", "NODES", "MEMORY", "SERVER", "CPU"].map(str::to_owned)];
    for row in rows {
        lines.push([
            row.name.clone(),
            row.version.clone().unwrap_or_else(|| "down".to_owned()),
            format!("{}/{}", row.nodes.0, row.nodes.1),
            row.memory.map_or_else(|| "n/a".to_owned(), mebibytes),
            row.server.clone(),
            row.title.clone(),
        ]);
    }
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..5).map(width).collect();
    let told = |line: &[String; 6]| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}  "));
        format!("{}{}\n", cells.collect::<String>(), line[5])
    };
    lines.iter().map(told).collect()
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes / (1024 * 1024))
}

fn total(rows: &[Row]) -> String {
    let sum: Option<u64> = rows.iter().map(|row| row.memory).sum();
    sum.map(|bytes| format!(" Memory: {} in all.", mebibytes(bytes))).unwrap_or_default()
}

fn next(set: &Set) -> String {
    let layout = set.layout();
    let member = set.members().first().map_or("hub", |member| member.name());
    format!(
        "Next:\n  export PATH={}:$PATH KUBECONFIG={}\n  {} --context {member} get nodes -o wide\n  hack/clusters down",
        layout.bin().display(),
        layout.kubeconfig("all").display(),
        Tool::Kubectl.name(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Arguments> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_set_has_four_members_unless_asked_otherwise() {
        let plain = parsed("up").unwrap();
        assert_eq!(plain.name, "jiuzhou");
        assert_eq!(
            plain.members.iter().map(|chip| chip.name).collect::<Vec<_>>(),
            ["kunpeng", "phytium", "hygon", "x86"]
        );
        let asked = parsed("up --name two --members x86,loongson").unwrap();
        assert_eq!(asked.name, "two");
        assert_eq!(asked.members.iter().map(|chip| chip.name).collect::<Vec<_>>(), ["x86", "loongson"]);
    }

    #[test]
    fn a_fault_and_a_member_are_words_of_break_alone() {
        assert_eq!(parsed("break member-down x86 --name two").unwrap().words, ["member-down", "x86"]);
        assert!(parsed("up x86").is_err());
    }

    #[test]
    fn what_is_not_understood_is_refused_with_the_way_out() {
        for line in ["up --name ../x", "up --name", "up --members sparc", "up --quick"] {
            assert!(parsed(line).is_err(), "{line}");
        }
        let told = parsed("up --members sparc").err().unwrap().to_string();
        assert!(told.contains("kunpeng,phytium,hygon,x86,loongson"), "{told}");
    }

    #[test]
    fn a_table_lines_its_columns_up() {
        let row = |name: &str, version: Option<&str>| Row {
            name: name.to_owned(),
            title: "鲲鹏".to_owned(),
            server: "https://127.0.0.1:1".to_owned(),
            version: version.map(str::to_owned),
            nodes: (3, 3),
            memory: Some(512 * 1024 * 1024),
        };
        let told = table(&[row("hub", Some("v1.36.3")), row("kunpeng", None)]);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[2].starts_with("kunpeng  down     3/3    512 MiB"), "{told}");
        assert_eq!(lines[1].find("3/3"), lines[2].find("3/3"));
    }
}
