//! The program as a user meets it: the real binary, real files, what it prints and how it ends.
//!
//! `stories`: the commands of every example against their committed output. `pages`: the console blocks of README and
//! docs. `languages`: what is said in two. `reference`: the generated pages about commands, codes and formats. `usage`:
//! what the stories do not show. `secrets`: what nothing may show. `images`: what comes from other systems and images.
//! `studies`: tests, scenarios and consolidation as gates meet them. `papers`: settlement and assessment with their
//! papers. `office`: workbooks in LibreOffice.
//! `UPDATE_GOLDEN=1 cargo test -p jiuzhou` (or `cargo xtask gen`) rewrites what is committed.

mod golden;
mod images;
mod languages;
mod migrate;
mod office;
mod pages;
mod papers;
mod reference;
mod runner;
mod secrets;
mod stories;
mod studies;
mod usage;
