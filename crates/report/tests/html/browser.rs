//! The page in a real browser: Chromium, driven over its DevTools protocol, with axe-core to look for
//! barriers. Where either is not installed, the tests say so and pass.

use super::{made_up::judged, page};
use dyetrace_report::words::Lang;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Longest that one test may take before the browser is ended.
const PATIENCE: Duration = Duration::from_mins(10);

/// How much wider the page is than the screen.
const OVERFLOW: &str = "document.documentElement.scrollWidth - document.documentElement.clientWidth";

/// Held by each test, so that one browser runs at a time and times mean something.
static ALONE: Mutex<()> = Mutex::new(());

/// A running browser with one page.
struct Browser {
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    next: u64,
    session: Option<String>,
    /// Everything that was reported without being asked for: the method and its parameters.
    events: Vec<(String, Value)>,
    folder: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

impl Browser {
    /// `None`, said aloud, where Chromium is not installed.
    fn start(name: &str) -> Option<Self> {
        let program = std::env::var("DYETRACE_CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
        if !Command::new(&program).arg("--version").output().is_ok_and(|output| output.status.success()) {
            say(&format!("skipped: {program} is not installed"));
            return None;
        }
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = std::env::temp_dir().join(format!("dyetrace-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        // The protocol's pipe is file descriptors 3 and 4.
        let mut process = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", &program])
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", folder.join("profile").display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (commands, answers) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        end_later(process.id());
        let mut browser =
            Self { process, commands, answers, next: 0, session: None, events: Vec::new(), folder, _alone: alone };
        browser.attach();
        Some(browser)
    }

    fn attach(&mut self) {
        let target = self.ask("Target.createTarget", &json!({"url": "about:blank"}));
        let target = json!({"targetId": target["targetId"], "flatten": true});
        let session = self.ask("Target.attachToTarget", &target);
        self.session = Some(session["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.ask(&format!("{domain}.enable"), &json!({}));
        }
    }

    fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        self.next += 1;
        let mut message = json!({"id": self.next, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.commands.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let answer = self.read();
            if answer["id"] == self.next {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
        }
    }

    fn read(&mut self) -> Value {
        let mut message = Vec::new();
        self.answers.read_until(0, &mut message).unwrap();
        assert_eq!(message.pop(), Some(0), "the browser ended");
        let message: Value = serde_json::from_slice(&message).unwrap();
        if let Some(method) = message["method"].as_str() {
            self.events.push((method.to_owned(), message["params"].clone()));
        }
        message
    }

    fn evaluate(&mut self, script: &str) -> Value {
        let parameters = json!({"expression": script, "awaitPromise": true, "returnByValue": true});
        let answer = self.ask("Runtime.evaluate", &parameters);
        assert!(answer["exceptionDetails"].is_null(), "{}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// Opens a page and waits for its load event.
    fn open(&mut self, page: &str, width: u32, scheme: &str) {
        let path = self.folder.join("page.html");
        std::fs::write(&path, page).unwrap();
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500});
        self.ask("Emulation.setDeviceMetricsOverride", &size);
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.ask("Emulation.setEmulatedMedia", &media);
        self.events.clear();
        self.ask("Page.navigate", &json!({"url": format!("file://{}", path.display())}));
        while !self.events.iter().any(|(method, _)| method == "Page.loadEventFired") {
            self.read();
        }
    }

    /// Requests for anything but the page itself, blocked styles and scripts, errors of the script.
    fn faults(&self) -> Vec<String> {
        let is_fault = |(method, parameters): &&(String, Value)| match method.as_str() {
            "Log.entryAdded" | "Runtime.exceptionThrown" => true,
            "Network.requestWillBeSent" => {
                !parameters["request"]["url"].as_str().is_some_and(|url| url.ends_with("/page.html"))
            }
            _ => false,
        };
        self.events.iter().filter(is_fault).map(|(method, parameters)| format!("{method} {parameters}")).collect()
    }

    /// Barriers that axe-core finds, each with the elements it is about.
    fn barriers(&mut self, axe: &str) -> String {
        self.evaluate(axe);
        let script = "axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(v => v.id + ': ' \
                      + v.nodes.slice(0, 3).map(n => n.html.slice(0, 200) + ' ' + n.failureSummary).join(' | ')).join('\\n'))";
        self.evaluate(script).as_str().unwrap().to_owned()
    }

    /// Pictures of the first screen and of the beginning of each section, for whoever sets
    /// `DYETRACE_SCREENSHOTS` to a folder.
    fn pictures(&mut self, name: &str, width: u32) {
        let Ok(folder) = std::env::var("DYETRACE_SCREENSHOTS") else { return };
        // What lies below the screen is painted a little later.
        self.ask("Page.captureScreenshot", &json!({"captureBeyondViewport": true}));
        let tops = "[...document.querySelectorAll('section')].map(s => [s.id, s.offsetTop, s.offsetHeight])";
        let sections = self.evaluate(tops);
        for section in sections.as_array().unwrap() {
            let (id, top, height) = (&section[0], section[1].as_f64().unwrap(), section[2].as_f64().unwrap());
            let clip = json!({"x": 0, "y": top, "width": width, "height": height.min(1500.0), "scale": 1});
            let shot = self
                .ask("Page.captureScreenshot", &json!({"format": "png", "captureBeyondViewport": true, "clip": clip}));
            let path = Path::new(&folder).join(format!("{name}-{}.png.base64", id.as_str().unwrap()));
            std::fs::write(path, shot["data"].as_str().unwrap()).unwrap();
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A browser that closes itself ends its helpers too; one that was killed leaves them writing for a while.
        let close = json!({"id": 0, "method": "Browser.close"});
        let is_closing = self.commands.write_all(format!("{close}\0").as_bytes()).is_ok();
        let mut rest = Vec::new();
        if !is_closing || self.answers.read_to_end(&mut rest).is_err() {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Ends the browser when a test hangs, so that reading from it ends too.
fn end_later(process: u32) {
    std::thread::spawn(move || {
        std::thread::sleep(PATIENCE);
        let _ = Command::new("kill").arg(process.to_string()).status();
    });
}

fn say(text: &str) {
    println!("{text}");
}

/// The program text of axe-core, where `check.sh` or `DYETRACE_AXE` put it.
fn axe() -> Option<String> {
    let usual = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/axe-core/package/axe.min.js");
    let path = std::env::var("DYETRACE_AXE").unwrap_or_else(|_| usual.to_owned());
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        say(&format!("skipped: axe-core is not at {path}"));
    }
    text
}

#[test]
fn the_page_has_no_barriers_and_fits_a_phone_in_every_look() {
    let (Some(axe), Some(mut browser)) = (axe(), Browser::start("barriers")) else { return };
    let case = judged(30);
    for lang in Lang::ALL {
        let page = page(&case, lang);
        for (width, scheme) in [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")] {
            browser.open(&page, width, scheme);
            let name = format!("{}-{width}-{scheme}", lang.tag());
            browser.pictures(&name, width);
            assert_eq!(browser.evaluate(OVERFLOW), 0, "{name}: wider than the screen");
            browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)");
            assert_eq!(browser.evaluate(OVERFLOW), 0, "{name}: wider when opened");
            assert_eq!(browser.barriers(&axe), "", "{name}");
            assert_eq!(browser.faults(), Vec::<String>::new(), "{name}");
        }
    }
}

#[test]
fn a_barrier_would_be_found() {
    let (Some(axe), Some(mut browser)) = (axe(), Browser::start("broken")) else { return };
    browser.open(&page(&judged(3), Lang::English), 1280, "light");
    browser.evaluate("document.querySelector('main').appendChild(document.createElement('button'))");
    assert!(browser.barriers(&axe).starts_with("button-name: "));
}

#[test]
fn ten_thousand_sightings_open_and_can_be_filtered() {
    let Some(mut browser) = Browser::start("many") else { return };
    browser.open(&page(&judged(10_000), Lang::English), 1280, "light");
    let took = browser.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd").as_f64().unwrap();
    let size = browser.evaluate("document.documentElement.outerHTML.length");
    say(&format!("10,000 sightings, {size} characters, opened in {took:.0} ms"));
    // How long that takes is for benches to judge; a machine that does other things opens it later.
    assert!(size.as_u64().is_some_and(|size| size < 5_000_000), "{size} characters");
    assert_eq!(browser.evaluate("document.querySelectorAll('#rows tbody tr').length"), 500);
    browser.evaluate("document.getElementById('more').click()");
    assert_eq!(browser.evaluate("document.querySelectorAll('#rows tbody tr').length"), 1000);
    browser.evaluate(
        "var w = document.getElementById('wanted'); w.value = 'http:9876 '; w.dispatchEvent(new Event('input'))",
    );
    let script = "new Promise(r => setTimeout(() => r(document.getElementById('matching').textContent), 400))";
    assert_eq!(browser.evaluate(script), "1 / 10,000");
    let visible =
        "[...document.querySelectorAll('#rows tbody tr')].filter(r => !r.hidden).map(r => r.cells.length).join()";
    assert_eq!(browser.evaluate(visible), "9");
    assert_eq!(browser.faults(), Vec::<String>::new());
}

#[test]
fn the_theme_can_be_switched_and_links_open_what_they_lead_to() {
    let Some(mut browser) = Browser::start("theme") else { return };
    browser.open(&page(&judged(60), Lang::English), 1280, "light");
    let ground = "getComputedStyle(document.body).backgroundColor";
    let light = browser.evaluate(ground);
    browser.evaluate("document.getElementById('theme').click()");
    assert_ne!(browser.evaluate(ground), light);
    browser.evaluate("document.getElementById('theme').click()");
    assert_eq!(browser.evaluate(ground), light);
    browser.evaluate("document.querySelector('#claims a[href^=\"#s-\"]').click()");
    let opened = "new Promise(r => setTimeout(() => r(document.querySelector(location.hash).open), 200))";
    assert_eq!(browser.evaluate(opened), true);
}

#[test]
fn on_paper_the_page_is_dark_on_light_and_everything_is_open() {
    let Some(mut browser) = Browser::start("paper") else { return };
    browser.open(&page(&judged(30), Lang::English), 1280, "dark");
    browser.evaluate("document.documentElement.dataset.theme = 'dark'");
    let features = json!([{"name": "prefers-color-scheme", "value": "dark"}]);
    browser.ask("Emulation.setEmulatedMedia", &json!({"media": "print", "features": features}));
    assert_eq!(browser.evaluate("getComputedStyle(document.body).color"), "rgb(28, 29, 32)");
    assert_eq!(browser.evaluate("getComputedStyle(document.querySelector('.bar')).display"), "none");
    browser.evaluate("dispatchEvent(new Event('beforeprint'))");
    assert_eq!(browser.evaluate("document.querySelectorAll('details:not([open])').length"), 0);
    browser.evaluate("dispatchEvent(new Event('afterprint'))");
    assert_ne!(browser.evaluate("document.querySelectorAll('details:not([open])').length"), 0);
}
