//! Reading an image from a registry that asks for a token and keeps its blobs elsewhere, as public registries do.
//!
//! A registry of a few lines on a port of this machine, over the layout in `docs/inputs/portal`: so that what it was sent
//! can be looked at. The real one is tried by the end-to-end tests.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use jiuzhou_inspect::registry::{Access, Registry};
use jiuzhou_inspect::{InspectError, Inspected, Limits, inspect, open};

/// What was asked: path, and what stood in `Authorization`.
type Asked = Arc<Mutex<Vec<(String, String)>>>;

struct Server {
    host: String,
    asked: Asked,
}

/// How a registry misbehaves.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Good,
    /// Every blob has other bytes than its digest says.
    Swaps,
    /// The manifest never ends.
    Endless,
}

fn layout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/inputs/portal")
}

fn root_digest() -> String {
    let index: serde_json::Value = serde_json::from_slice(&fs::read(layout().join("index.json")).unwrap()).unwrap();
    index["manifests"][0]["digest"].as_str().unwrap().to_owned()
}

fn serve(way: Way) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let asked: Asked = Arc::default();
    let server = Server { host: host.clone(), asked: Arc::clone(&asked) };
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (host, asked) = (host.clone(), Arc::clone(&asked));
            std::thread::spawn(move || answer(stream, &host, &asked, way));
        }
    });
    server
}

fn answer(stream: TcpStream, host: &str, asked: &Asked, way: Way) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let authorization = headers.iter().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("authorization").then(|| value.trim().to_owned())
    });
    let authorization = authorization.unwrap_or_default();
    asked.lock().unwrap().push((path.clone(), authorization.clone()));
    let blob = |digest: &str| fs::read(layout().join("blobs/sha256").join(digest.trim_start_matches("sha256:")));
    let (status, more, body): (&str, String, Vec<u8>) = if path.starts_with("/token") {
        let good = authorization == "Basic dXNlcjpwYXNz" && path.contains("scope=repository%3Aportal%2Fweb%3Apull");
        if good {
            ("200 OK", String::new(), br#"{"token":"T0KEN"}"#.to_vec())
        } else {
            ("403 Forbidden", String::new(), Vec::new())
        }
    } else if let Some(digest) = path.strip_prefix("/store/") {
        let mut bytes = blob(digest).unwrap();
        if way == Way::Swaps {
            bytes.reverse();
        }
        ("200 OK", String::new(), bytes)
    } else if authorization != "Bearer T0KEN" {
        let challenge = format!("WWW-Authenticate: Bearer realm=\"http://{host}/token\",service=\"portal\"\r\n");
        ("401 Unauthorized", challenge, Vec::new())
    } else if let Some(digest) = path.strip_prefix("/v2/portal/web/blobs/") {
        // Elsewhere, as object stores of clouds: another name of the same machine.
        let port = host.rsplit(':').next().unwrap();
        ("307 Temporary Redirect", format!("Location: http://localhost:{port}/store/{digest}\r\n"), Vec::new())
    } else if let Some(name) = path.strip_prefix("/v2/portal/web/manifests/") {
        let digest = if name == "2.1" { root_digest() } else { name.to_owned() };
        match blob(&digest) {
            Ok(_) if way == Way::Endless => ("200 OK", String::new(), vec![b' '; 9 << 20]),
            Ok(bytes) => ("200 OK", String::new(), bytes),
            Err(_) => ("404 Not Found", String::new(), Vec::new()),
        }
    } else {
        ("404 Not Found", String::new(), Vec::new())
    };
    let head = format!("HTTP/1.1 {status}\r\n{more}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let mut stream = stream;
    // A reader that stops early closes the connection.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

/// Docker's file with a login for the server.
fn access(server: &Server, login: &str) -> Access {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.json");
    fs::write(&file, format!(r#"{{"auths":{{"{}":{{"auth":"{login}"}}}}}}"#, server.host)).unwrap();
    Access::new(&[], false, Some(&file)).unwrap()
}

fn look(server: &Server, login: &str) -> Result<Inspected, InspectError> {
    let limits = Limits::default();
    let name = format!("{}/portal/web:2.1", server.host);
    let mut registry = Registry::open(&name, &access(server, login), limits).unwrap();
    inspect(&mut registry, &[], &limits).map(|mut images| images.remove(0))
}

/// `user:pass`.
const LOGIN: &str = "dXNlcjpwYXNz";

#[test]
fn a_token_is_fetched_with_the_password_and_blobs_elsewhere_without_either() {
    let server = serve(Way::Good);
    let image = look(&server, LOGIN).unwrap();
    let limits = Limits::default();
    let mut folder = open(layout().to_str().unwrap(), &mut std::io::empty(), &limits).unwrap();
    let same = inspect(&mut *folder, &[], &limits).unwrap().remove(0);
    let needs =
        |image: &Inspected| image.entries.iter().map(|e| (e.image.clone(), e.facts.clone())).collect::<Vec<_>>();
    assert_eq!(needs(&image), needs(&same));
    assert_eq!(image.digest.map(|digest| digest.to_string()), Some(root_digest()));
    let asked = server.asked.lock().unwrap();
    assert_eq!(asked.iter().filter(|(path, _)| path.starts_with("/token")).count(), 1, "{asked:?}");
    let stored: Vec<_> = asked.iter().filter(|(path, _)| path.starts_with("/store/")).collect();
    assert!(stored.len() > 3 && stored.iter().all(|(_, authorization)| authorization.is_empty()), "{stored:?}");
    let passwords = asked.iter().filter(|(_, authorization)| authorization.starts_with("Basic"));
    assert!(passwords.map(|(path, _)| path).all(|path| path.starts_with("/token")), "{asked:?}");
}

#[test]
fn a_refused_password_is_told_without_the_password() {
    let error = look(&serve(Way::Good), "d3Jvbmc6cHc=").unwrap_err().to_string();
    assert!(error.contains("token service answers 403"), "{error}");
    assert!(!error.contains("d3Jvbmc6cHc=") && !error.contains("wrong"), "{error}");
}

#[test]
fn other_bytes_and_endless_answers_are_not_believed() {
    let image = look(&serve(Way::Swaps), LOGIN).unwrap();
    assert!(image.entries.is_empty() && !image.findings.is_empty(), "{image:?}");
    let error = look(&serve(Way::Endless), LOGIN).unwrap_err().to_string();
    assert!(error.contains("failed to ask the registry"), "{error}");
}
