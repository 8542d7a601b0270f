//! What the stories do not show: exit codes, several outputs, standard input, saved plans, wrong usage.

use std::fs;

use crate::runner::Folder;

const DAY: [&str; 2] = ["--as-of", "2026-11-23"];

#[test]
fn each_end_has_its_own_exit_code() {
    let folder = Folder::new();
    let code = |args: &[&str]| folder.run(&[args, DAY.as_slice()].concat()).code;
    assert_eq!(code(&["plan", "examples/01-first-tenant"]), 0);
    assert_eq!(code(&["plan", "examples/01-first-tenant", "--detailed-exitcode"]), 2);
    assert_eq!(code(&["plan", "examples/10-province"]), 3);
    assert_eq!(code(&["plan", "examples/10-province", "--fail-on", "never"]), 0);
    assert_eq!(code(&["validate", "examples/09-gitops-gate/bad"]), 4);
    assert_eq!(code(&["plan", "no-such-folder"]), 4);
    assert_eq!(code(&["plan", "--no-such-flag"]), 64);
    assert_eq!(code(&["help", "no-such-topic"]), 64);
    assert_eq!(code(&["explain", "nobody", "examples/01-first-tenant"]), 1);
    assert_eq!(code(&["whatif", "examples/01-first-tenant"]), 64);
    assert_eq!(code(&["whatif", "examples/01-first-tenant", "--grid-factor", "dali=-5"]), 64);
    assert_eq!(code(&["report", "energy", "examples/01-first-tenant", "--invoice", "a.csv"]), 64);
}

#[test]
fn an_inventory_of_a_dump_that_cannot_be_read_whole_does_not_pass_and_says_nothing_of_its_pods() {
    let folder = Folder::new();
    let node = |cpu: &str| {
        format!(
            "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Node\n  metadata: {{name: n1}}\n  status:\n    \
             allocatable: {{cpu: \"{cpu}\"}}\n- apiVersion: v1\n  kind: Pod\n  metadata: {{name: p}}\n  spec: {{containers: []}}\n"
        )
    };
    let good = folder.run_with(&["inventory", "-"], &node("8"));
    assert_eq!(good.code, 0, "{}", good.err);
    assert!(good.out.contains("unknown-1") && !good.out.contains("NativeNotWrapped"), "{}", good.out);
    let bad = folder.run_with(&["inventory", "-"], &node("-8"));
    assert_eq!(bad.code, 4);
    assert!(bad.out.contains("UnitUnknown") && bad.out.contains("Mi Gi"), "{}", bad.out);
}

#[test]
fn an_empty_render_does_not_pass_a_gate_that_requires_a_match() {
    let folder = Folder::new();
    let empty = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b}\n";
    assert_eq!(folder.run_with(&["plan", "-", "--require-match"], empty).code, 3);
    assert_eq!(folder.run_with(&["plan", "-"], empty).code, 0);
}

#[test]
fn one_run_feeds_several_formats_and_the_exit_code_does_not_depend_on_them() {
    let folder = Folder::new();
    let outputs =
        ["-o", "json=a.json", "-o", "junit=a.xml", "-o", "markdown=a.md", "-o", "html=a.html", "-o", "yaml=a.yaml"];
    let args = [["plan", "examples/10-province"].as_slice(), &DAY, &outputs].concat();
    let ran = folder.run(&args);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{}", ran.err);
    let json: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("a.json")).expect("json")).expect("valid JSON");
    assert_eq!(json["formatVersion"], "1.1");
    for file in ["a.xml", "a.md", "a.html", "a.yaml"] {
        assert!(fs::metadata(folder.path().join(file)).expect(file).len() > 1000, "{file}");
    }
}

#[test]
fn the_language_changes_texts_and_nothing_else() {
    let folder = Folder::new();
    let run = |lang: &str, format: &str| {
        folder.run(&["plan", "examples/04-dali-two-zones", "--as-of", "2026-11-23", "--lang", lang, "-o", format])
    };
    assert_eq!(run("zh", "json").out, run("en", "json").out);
    assert_ne!(run("zh", "text").out, run("en", "text").out);
    assert_eq!(run("zh", "text").code, run("en", "text").code);
}

#[test]
fn a_pipe_gets_no_escape_bytes_unless_asked() {
    let folder = Folder::new();
    let plan = ["plan", "examples/10-province", "--as-of", "2026-11-23"];
    assert!(!folder.run(&plan).out.contains('\u{1b}'));
    assert!(folder.run(&[plan.as_slice(), &["--color", "always"]].concat()).out.contains('\u{1b}'));
}

#[test]
fn a_saved_plan_replays_to_the_same_bytes_and_a_touched_one_does_not() {
    let folder = Folder::new();
    let args = [["plan", "examples/10-province", "--save", "plan.json"].as_slice(), &DAY].concat();
    assert_eq!(folder.run(&args).code, 3);
    assert_eq!(folder.run(&["replay", "plan.json"]).code, 0);
    let path = folder.path().join("plan.json");
    let text = fs::read_to_string(&path).expect("the plan");
    fs::write(&path, text.replacen("\"replicas\":2", "\"replicas\":1", 1)).expect("a writable file");
    let touched = folder.run(&["replay", "plan.json"]);
    assert_eq!(touched.code, 3, "{}{}", touched.out, touched.err);
}

#[test]
fn planning_against_its_own_saved_plan_moves_nothing() {
    let folder = Folder::new();
    let plan =
        |more: &[&str]| folder.run(&[["plan", "examples/10-province", "-o", "json"].as_slice(), &DAY, more].concat());
    plan(&["--save", "plan.json"]);
    let again: serde_json::Value = serde_json::from_str(&plan(&["--against", "plan.json"]).out).expect("valid JSON");
    let sections = again["sections"].as_array().expect("sections");
    let moves = sections.iter().find(|section| section["title"]["key"] == "moves" || section["key"] == "moves");
    let rows = moves.expect("moves are shown")["rows"].as_array().expect("rows").len();
    assert_eq!(rows, 0, "{moves:?}");
}

#[test]
fn the_placements_of_a_plan_are_a_state_in_which_it_changes_nothing() {
    let folder = Folder::new();
    let plan =
        |more: &[&str]| folder.run(&[["plan", "examples/10-province", "-o", "json"].as_slice(), &DAY, more].concat());
    plan(&["--placements", "first.yaml"]);
    let again = plan(&["--against", "first.yaml", "--placements", "second.yaml"]);
    let again: serde_json::Value = serde_json::from_str(&again.out).expect("valid JSON");
    let sections = again["sections"].as_array().expect("sections");
    let moves = sections.iter().find(|section| section["key"] == "moves").expect("moves are shown");
    assert_eq!(moves["rows"].as_array().map(Vec::len), Some(0), "{moves:?}");
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("written");
    assert_eq!(read("first.yaml"), read("second.yaml"));
    assert!(read("first.yaml").matches("kind: FleetPlacement").count() > 40);
}

#[test]
fn what_fails_is_told_in_the_language_asked_for() {
    let folder = Folder::new();
    let zh = |args: &[&str]| folder.run(&[args, &["--lang", "zh"]].concat()).err;
    assert!(
        zh(&["replay", "没有.json"]).starts_with("jiuzhou：无法读取 没有.json："),
        "{}",
        zh(&["replay", "没有.json"])
    );
    assert!(zh(&["explain", "portl", "examples/01-first-tenant"]).contains("是否指 \"portal\"？"));
    assert!(zh(&["plan", "--as-of", "昨天"]).starts_with("错误："));
    assert!(zh(&["demo", "99"]).starts_with("jiuzhou：找不到故事"));
}

#[test]
fn manifests_come_in_by_standard_input_and_go_out_as_a_workload() {
    let folder = Folder::new();
    let manifest = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: 门户}\nspec: {}\n";
    assert_eq!(
        folder.run_with(&["wrap", "--system", "portal", "-"], manifest).code,
        4,
        "a Chinese name is no DNS label"
    );
    assert_eq!(folder.run_with(&["wrap", "--system", "门户", "-"], manifest).code, 64);
    let manifest = manifest.replace("门户", "portal");
    let ran = folder.run_with(&["wrap", "--system", "portal", "-n", "web"], &manifest);
    assert!(ran.out.contains("kind: FleetWorkload") && ran.out.contains("system: portal"), "{}{}", ran.out, ran.err);
}

#[test]
fn the_definitions_are_those_of_the_repository() {
    let folder = Folder::new();
    assert_eq!(folder.run(&["crds", "--dir", "out"]).code, 0);
    let committed = fs::read_dir(crate::runner::root().join("crds")).expect("crds");
    let mut count = 0;
    for file in committed.flatten().filter(|file| file.path().extension().is_some_and(|ending| ending == "yaml")) {
        let name = file.file_name();
        if name.to_string_lossy().ends_with(".jiuzhou.dev.yaml") {
            let made = fs::read(folder.path().join("out").join(&name)).expect("every definition");
            assert_eq!(made, fs::read(file.path()).expect("readable"), "{name:?}");
            count += 1;
        }
    }
    assert!(count >= 13);
}

#[test]
fn scripts_and_pages_are_made_for_every_shell_and_command() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = folder.run(&["completion", shell]);
        assert!(ran.code == 0 && ran.out.contains("jiuzhou"), "{shell}: {}", ran.err);
    }
    assert_eq!(folder.run(&["man", "--out", "man"]).code, 0);
    let written = fs::read_to_string(folder.path().join("man/jiuzhou-plan.1")).expect("a page");
    assert!(written.contains("against"));
    // Without a folder it is the page itself, as `man -l -` reads it.
    let plan = folder.run(&["man", "plan"]);
    assert_eq!((plan.code, plan.out), (0, written));
    let program = folder.run(&["man"]);
    assert!(program.code == 0 && program.out.contains(".TH jiuzhou 1"), "{}", program.out);
    assert!(folder.run(&["man", "--lang", "zh", "plan"]).out.contains("方案"));
    let wrong = folder.run(&["man", "plna"]);
    assert!(wrong.code == 64 && wrong.err.contains("did you mean plan?"), "{}", wrong.err);
}

#[test]
fn two_results_for_one_place_are_refused_and_nothing_is_written() {
    let folder = Folder::new();
    let plan = ["plan", "examples/01-first-tenant", "--as-of", "2026-11-23"];
    let both = folder.run(&[&plan[..], &["-o", "json", "-o", "yaml"]].concat());
    assert_eq!((both.code, both.out.as_str()), (64, ""), "{}", both.err);
    assert!(both.err.contains("standard output") && both.err.contains("yaml=FILE"), "{}", both.err);
    let file = folder.run(&[&plan[..], &["-o", "json=a", "-o", "csv=a", "--lang", "zh"]].concat());
    assert_eq!((file.code, folder.path().join("a").exists()), (64, false), "{}", file.err);
    assert!(file.err.contains("两份结果"), "{}", file.err);
    // One on standard output and any number of files is what `-o` is for.
    let each = folder.run(&[&plan[..], &["-o", "json", "-o", "csv=b", "-o", "junit=c"]].concat());
    assert_eq!((each.code, folder.path().join("b").exists()), (0, true), "{}", each.err);
}

#[test]
fn a_file_that_is_not_there_is_told_as_that() {
    let folder = Folder::new();
    let replay = folder.run(&["replay", "no-such-file", "--lang", "zh"]);
    assert_eq!(replay.code, 1);
    assert_eq!(replay.err.trim_end(), "jiuzhou：无法读取 no-such-file：没有该文件或目录");
    let plan = folder.run(&["plan", "no-such-file"]);
    assert!(plan.out.contains("no-such-file cannot be read: there is no such file or folder."), "{}", plan.out);
}

#[test]
fn an_order_to_place_anew_is_tried_out_offline_and_a_freeze_tells_what_it_holds() {
    let folder = Folder::new();
    let plan = |more: &[&str]| folder.run(&[&["plan", "examples/01-first-tenant"], more, DAY.as_slice()].concat());
    assert_eq!(plan(&["--placements", "state.yaml"]).code, 0);
    let moved = plan(&["state.yaml", "--rebalance", "portal", "--save", "plan.json"]);
    assert_eq!((moved.code, moved.out.contains("HeldByFreeze")), (0, false), "{}{}", moved.out, moved.err);
    let saved = fs::read_to_string(folder.path().join("plan.json")).expect("a plan");
    assert!(saved.contains("\"rebalance\":[{"), "the order is part of what was asked");
    assert_eq!(folder.run(&["replay", "plan.json"]).code, 0);
    let nobody = plan(&["state.yaml", "--rebalance", "portla"]);
    assert!(nobody.code == 1 && nobody.err.contains("portal"), "{}", nobody.err);

    let freeze = "apiVersion: jiuzhou.dev/v1alpha1\nkind: ChangeFreeze\nmetadata: {name: two-sessions}\n\
                  spec: {start: 2026-11-20T00:00:00Z, end: 2026-12-01T00:00:00Z, reason: 两会保障}\n";
    fs::write(folder.path().join("freeze.yaml"), freeze).expect("a file");
    let quiet = plan(&["state.yaml", "freeze.yaml"]);
    assert_eq!((quiet.code, quiet.out.contains("HeldByFreeze")), (0, false), "{}{}", quiet.out, quiet.err);
    for (lang, words) in
        [("en", "waits for the end of the change freeze two-sessions"), ("zh", "须等待封网期 two-sessions 结束")]
    {
        let held = plan(&["state.yaml", "freeze.yaml", "--rebalance", "portal", "--lang", lang]);
        let told = format!("{}{}", held.out, held.err);
        assert!(held.code == 0 && told.contains("HeldByFreeze") && told.contains(words), "{told}");
    }
}
