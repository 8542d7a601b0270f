//! `demo`: the stories of `examples/`, which are inside the binary: nothing is read from disk, nothing from a network.

use std::fs;
use std::path::Path;

use anyhow::bail;
use include_dir::{Dir, include_dir};
use jiff::Timestamp;

use crate::args::DemoArgs;
use crate::commands::load;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// The stories, as they stand in the repository.
static STORIES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../examples");

/// The story that is shown when none is named.
const DEFAULT: &str = "10-province";

/// The day the stories are written for; what they say of certificates and terms holds as of then.
pub(crate) const AS_OF: &str = "2026-11-23";

/// Shows a story.
pub(crate) fn run(args: &DemoArgs, context: &Context) -> anyhow::Result<Exit> {
    if args.list {
        return list(context);
    }
    let name = args.story.as_deref().unwrap_or(DEFAULT);
    let story = find(name)?;
    match &args.write {
        Some(to) => write(story, to, context),
        None => show(story, args, context),
    }
}

fn find(name: &str) -> anyhow::Result<&'static Dir<'static>> {
    let matches = |dir: &&Dir<'_>| {
        let full = dir.path().to_string_lossy();
        full == name || full.split('-').next() == Some(name)
    };
    match STORIES.dirs().find(matches) {
        Some(story) => Ok(story),
        None => {
            let names: Vec<_> = stories().map(|(name, _)| name).collect();
            bail!(Failure::NoStory { text: name.to_owned(), names })
        }
    }
}

/// Name and title (the first heading of its README) of every story, in order.
fn stories() -> impl Iterator<Item = (String, String)> {
    let mut all: Vec<_> = STORIES.dirs().collect();
    all.sort_by_key(|dir| dir.path());
    all.into_iter().map(|dir| {
        let readme = dir.get_file(dir.path().join("README.md")).and_then(|file| file.contents_utf8());
        let title = readme.and_then(|text| text.lines().find_map(|line| line.strip_prefix("# "))).unwrap_or_default();
        (dir.path().to_string_lossy().into_owned(), title.to_owned())
    })
}

fn list(context: &Context) -> anyhow::Result<Exit> {
    for (name, title) in stories() {
        output::print(&format!("{name:<26} {title}\n"))?;
    }
    context.hint(context.pick("→ jiuzhou demo STORY", "→ jiuzhou demo 故事名"));
    Ok(Exit::Ok)
}

/// Files of a story: path below it, contents.
fn files(dir: &'static Dir<'static>, out: &mut Vec<&'static include_dir::File<'static>>) {
    out.extend(dir.files());
    dir.dirs().for_each(|sub| files(sub, out));
}

fn write(story: &'static Dir<'static>, to: &Path, context: &Context) -> anyhow::Result<Exit> {
    if to.exists() {
        bail!(Failure::Exists(to.display().to_string()));
    }
    let mut all = Vec::new();
    files(story, &mut all);
    for file in all {
        let below = file.path().strip_prefix(story.path())?;
        let path = to.join(below);
        if let Some(folder) = path.parent() {
            output::folder(folder)?;
        }
        let wrote = fs::write(&path, file.contents());
        wrote.map_err(|source| Failure::Write { path: path.display().to_string(), source })?;
    }
    context.hint(&format!("→ jiuzhou plan {} --as-of {AS_OF}", to.display()));
    Ok(Exit::Ok)
}

fn show(story: &'static Dir<'static>, args: &DemoArgs, context: &Context) -> anyhow::Result<Exit> {
    let as_of: Timestamp = load::parse_as_of(AS_OF)?;
    let mut all = Vec::new();
    files(story, &mut all);
    let texts: Vec<(String, &[u8])> = all
        .iter()
        .filter(|file| file.path().extension().is_some_and(|ending| ending == "yaml"))
        .map(|file| (format!("examples/{}", file.path().to_string_lossy()), file.contents()))
        .collect();
    let fleet = load::texts(&texts, as_of)?;
    crate::commands::tour::show(&fleet, as_of, args, context)
}
