//! Images in a real registry on this machine: the same facts as from a folder, by tag, by digest, through a mirror.

use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use testbed::{Group, Tool, Tools};

const IMAGE: &str = "docs/inputs/portal";

/// A registry that ends with the test.
struct Registry {
    process: Child,
    host: String,
    crane: std::path::PathBuf,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Registry {
    fn start() -> Self {
        let tools = Tools::find(&[Group::Crane], &mut |_| {}).unwrap();
        let crane = tools.path(Tool::Crane).unwrap().to_owned();
        // Free now, and nobody else asks for it before the registry does.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let host = format!("127.0.0.1:{port}");
        let process = Command::new(&crane)
            .args(["registry", "serve", "--address", &host])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let registry = Self { process, host, crane };
        let until = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(&registry.host).is_err() {
            assert!(Instant::now() < until, "the registry does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        registry
    }

    fn push(&self, name: &str) {
        let pushed = Command::new(&self.crane)
            .current_dir(jiuzhou_e2e::root())
            .args(["push", "--insecure", IMAGE, &format!("{}/{name}", self.host)])
            .output()
            .unwrap();
        assert!(pushed.status.success(), "{}", String::from_utf8_lossy(&pushed.stderr));
    }
}

fn jiuzhou(arguments: &[&str]) -> Output {
    let mut command = Command::new(jiuzhou_e2e::binary().unwrap());
    command.current_dir(jiuzhou_e2e::root()).args(arguments).env("DOCKER_CONFIG", "/nonexistent");
    command.output().unwrap()
}

/// The tables of a report, which say what the images need; what differs by place is the name.
fn needs(output: &Output) -> Value {
    let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
        panic!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    });
    let mut sections = document["sections"].clone();
    for section in sections.as_array_mut().unwrap() {
        for row in section["rows"].as_array_mut().unwrap() {
            row.as_object_mut().unwrap().remove("image");
        }
    }
    sections
}

#[test]
fn an_image_in_a_registry_tells_what_it_tells_in_a_folder() {
    let registry = Registry::start();
    registry.push("portal/web:2.1");
    let folder = jiuzhou(&["inspect", IMAGE, "-o", "json"]);
    let wanted = needs(&folder);
    assert!(wanted[1]["rows"].as_array().unwrap().len() > 10, "{wanted}");

    let tagged = format!("{}/portal/web:2.1", registry.host);
    let index: Value =
        serde_json::from_str(&std::fs::read_to_string(jiuzhou_e2e::root().join(IMAGE).join("index.json")).unwrap())
            .unwrap();
    let digest = index["manifests"][0]["digest"].as_str().unwrap();
    let pinned = format!("{}/portal/web@{digest}", registry.host);
    for name in [&tagged, &pinned] {
        let output = jiuzhou(&["inspect", name, "-o", "json"]);
        assert_eq!(output.status.code(), folder.status.code(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(needs(&output), wanted, "{name}");
    }
    let mirror = format!("registry.gov.example={}", registry.host);
    let mirrored = jiuzhou(&["inspect", "registry.gov.example/portal/web:2.1", "--mirror", &mirror, "--profiles", "-"]);
    let text = String::from_utf8(mirrored.stdout).unwrap();
    assert!(text.contains("image: registry.gov.example/portal/web") && text.contains(digest), "{text}");
}

#[test]
fn what_a_registry_does_not_have_is_told_in_both_languages() {
    let registry = Registry::start();
    registry.push("portal/web:2.1");
    let gone = format!("{}/portal/web:9.9", registry.host);
    let other = format!("{}/portal/web@sha256:{}", registry.host, "0".repeat(64));
    let told = [(&gone, "en", ["cannot be inspected", "failed to find"]), (&other, "zh", ["无法检查", "未找到"])];
    for (name, language, words) in told {
        let output = jiuzhou(&["inspect", name, "--lang", language]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(4), "{text}");
        assert!(words.iter().all(|words| text.contains(words)), "{text}");
    }
    // Nobody listens there.
    let nobody = jiuzhou(&["inspect", "127.0.0.1:9/portal/web:1"]);
    assert_eq!(nobody.status.code(), Some(4));
}
