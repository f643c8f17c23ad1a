//! The page in a real browser: Chromium, driven over its DevTools protocol, with the program that is built here.
//! Where the browser or the target is not installed, the test says so and passes.

use crate::{Folder, Running, build, plan, setup, start};
use dyetrace_check::service::{ProofQuestion, Setup};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// Longest that the test may take before the browser is ended.
const PATIENCE: Duration = Duration::from_mins(5);
const TARGET: &str = "wasm32-unknown-unknown";

/// The page's program, built as docs/check.md says. `None`, said aloud, where the target is not installed.
fn program() -> Option<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let libraries = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(&root)
        .output()
        .unwrap();
    let libraries = PathBuf::from(String::from_utf8(libraries.stdout).unwrap().trim());
    if !std::fs::read_dir(libraries).is_ok_and(|mut files| files.next().is_some()) {
        println!("skipped: rustup target add {TARGET}");
        return None;
    }
    // A folder of its own: the one of the tests may be locked by whoever runs them.
    let built = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().join("page");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "build",
        "--quiet",
        "--locked",
        "--profile",
        "page",
        "-p",
        "dyetrace-check-page",
        "--target",
        TARGET,
        "--target-dir",
    ]);
    let status = cargo.arg(&built).env_remove("RUSTFLAGS").current_dir(root).status().unwrap();
    assert!(status.success(), "the page's program was not built");
    let wasm = std::fs::read(built.join(TARGET).join("page/dyetrace_check_page.wasm")).unwrap();
    println!("the page's program has {} bytes", wasm.len());
    Some(wasm)
}

/// A running browser with one page.
struct Browser {
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    next: u64,
    session: Option<String>,
    events: Vec<(String, Value)>,
    folder: Folder,
}

impl Browser {
    fn start() -> Option<Self> {
        let program = std::env::var("DYETRACE_CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
        if !Command::new(&program).arg("--version").output().is_ok_and(|output| output.status.success()) {
            println!("skipped: {program} is not installed");
            return None;
        }
        let folder = Folder::new();
        // The protocol's pipe is file descriptors 3 and 4.
        let mut process = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", &program])
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe"])
            .args(["--lang=en", &format!("--user-data-dir={}", folder.0.join("profile").display())])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (commands, answers) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        let id = process.id();
        std::thread::spawn(move || {
            std::thread::sleep(PATIENCE);
            let _ = Command::new("kill").arg(id.to_string()).status();
        });
        let mut browser = Self { process, commands, answers, next: 0, session: None, events: Vec::new(), folder };
        let target = browser.ask("Target.createTarget", &json!({"url": "about:blank"}));
        let session = browser.ask("Target.attachToTarget", &json!({"targetId": target["targetId"], "flatten": true}));
        browser.session = Some(session["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.ask(&format!("{domain}.enable"), &json!({}));
        }
        Some(browser)
    }

    fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        self.next += 1;
        let mut message = json!({"id": self.next, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.commands.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let mut answer = Vec::new();
            self.answers.read_until(0, &mut answer).unwrap();
            assert_eq!(answer.pop(), Some(0), "the browser ended");
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            if let Some(method) = answer["method"].as_str() {
                self.events.push((method.to_owned(), answer["params"].clone()));
            }
            if answer["id"] == self.next {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
        }
    }

    fn evaluate(&mut self, script: &str) -> Value {
        let parameters = json!({"expression": script, "awaitPromise": true, "returnByValue": true});
        let answer = self.ask("Runtime.evaluate", &parameters);
        assert!(answer["exceptionDetails"].is_null(), "{}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// Waits until a script gives `true`.
    fn wait(&mut self, script: &str) {
        for _ in 0..600 {
            if self.evaluate(script) == true {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let shown = self.evaluate("document.body.innerText");
        panic!("never: {script}\n{shown}");
    }

    fn press(&mut self, key: &str, code: u32, text: &str) {
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let key = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text});
            self.ask("Input.dispatchKeyEvent", &key);
        }
    }

    /// Types into the field and asks, by keyboard alone; what the page says then.
    fn check(&mut self, value: &str) -> String {
        self.evaluate("document.getElementById('value').value = ''; document.getElementById('value').focus()");
        self.ask("Input.insertText", &json!({"text": value}));
        self.press("Enter", 13, "\r");
        self.wait("!/^(Asking|正在查询)/.test(document.getElementById('answer').textContent)");
        self.evaluate("[...document.querySelectorAll('#answer p, #answer li, #wrong')].map(e => e.textContent).join('\\n').trim()")
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// What axe-core finds on the page as it is.
    fn barriers(&mut self, axe: &str) -> Value {
        self.evaluate(axe);
        self.evaluate("axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(v => v.id + ': ' + v.nodes[0].html).join('\\n'))")
    }

    fn open(&mut self, running: &Running, path: &str) {
        self.events.clear();
        self.ask("Page.navigate", &json!({"url": format!("http://{}{path}", running.address)}));
        self.wait("document.readyState === 'complete' && !!document.body");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let close = json!({"id": 0, "method": "Browser.close"});
        let mut rest = Vec::new();
        let is_closing = self.commands.write_all(format!("{close}\0").as_bytes()).is_ok();
        if !is_closing || self.answers.read_to_end(&mut rest).is_err() {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder.0);
    }
}

/// The program text of axe-core, where `check.sh` or `DYETRACE_AXE` put it.
fn axe() -> Option<String> {
    let usual = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/axe-core/package/axe.min.js");
    let path = std::env::var("DYETRACE_AXE").unwrap_or_else(|_| usual.to_owned());
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("not looked for barriers: axe-core is not at {path}");
    }
    text
}

#[test]
fn a_person_asks_by_keyboard_and_what_they_type_does_not_leave_the_page() {
    let (Some(mut browser), Some(wasm)) = (Browser::start(), program()) else { return };
    let folder = Folder::new();
    let running = start(build(&folder, 200, plan()), Setup { wasm: Some(wasm), ..setup() });
    browser.open(&running, "/");
    browser.wait("document.body.dataset.ready === 'yes'");
    assert_eq!(browser.check("Person8@Example.test"), "It is in:\nExample shop (2013): e-mail, password");
    assert_eq!(browser.check("person9@example.test"), "It is in:\nExample shop (2013): e-mail");
    assert_eq!(browser.check("nobody@example.test"), "Not in the index that this service showed.");
    assert!(browser.check("nobody").contains("looks like name@example.org"));
    assert_eq!(browser.evaluate("document.activeElement.id"), "value", "the field that is wrong has the focus");
    let own = format!("http://{}/", running.address);
    let mut asked = 0;
    for (method, parameters) in &browser.events {
        assert!(!matches!(method.as_str(), "Log.entryAdded" | "Runtime.exceptionThrown"), "{parameters}");
        if method == "Network.requestWillBeSent" {
            asked += 1;
            let request = parameters["request"].to_string().to_lowercase();
            assert!(parameters["request"]["url"].as_str().unwrap().starts_with(&own), "{request}");
            let bucket = parameters["request"]["url"].as_str().unwrap().split("/v1/buckets/").nth(1);
            assert!(bucket.is_none_or(|number| number.len() == 7), "the length of a request tells of its bucket");
            assert!(!request.contains("person8") && !request.contains("nobody"), "an identifier left the page");
        }
    }
    assert!(asked >= 12, "two requests for each of three questions, and what the page loads: {asked}");
    browser.open(&running, "/?lang=zh");
    browser.wait("document.body.dataset.ready === 'yes'");
    assert_eq!(browser.evaluate("document.documentElement.lang + document.title"), "zh我在这次泄露中吗？");
}

#[test]
fn the_page_has_no_barriers_in_any_of_its_states() {
    let (Some(axe), Some(mut browser), Some(wasm)) = (axe(), Browser::start(), program()) else { return };
    let (folder, proof) = (Folder::new(), Box::new(|_: &ProofQuestion| Ok(true)));
    let running = start(build(&folder, 200, plan()), Setup { wasm: Some(wasm), proof: Some(proof), ..setup() });
    for language in ["en", "zh"] {
        browser.open(&running, &format!("/?lang={language}"));
        browser.wait("document.body.dataset.ready === 'yes'");
        browser.evaluate("document.querySelector('details').open = true");
        assert_eq!(browser.evaluate("document.getElementById('proof').hidden"), false);
        assert_eq!(browser.barriers(&axe), "", "{language}, before a question");
        for asked in ["person8@example.test", "nobody@example.test", "nobody"] {
            browser.evaluate(&format!("document.getElementById('token').value = '{language}-{asked}'"));
            let said = browser.check(asked);
            assert!(!said.is_empty());
            assert_eq!(browser.barriers(&axe), "", "{language}: {said}");
        }
    }
}

#[test]
fn a_page_without_its_program_says_so() {
    let Some(mut browser) = Browser::start() else { return };
    let folder = Folder::new();
    let running = start(build(&folder, 50, plan()), setup());
    browser.open(&running, "/");
    browser.wait("document.getElementById('answer').textContent.includes('dyetrace breach check')");
}
