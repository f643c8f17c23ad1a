//! The app on the phone, and what its user does with it.

use super::disk::Disk;
use super::helper::{COPIES, Helper};
use super::{Edition, multipart, owner};
use crate::client::{Client, Connection, ask, exchange, goodbye};
use crate::gallery::{self, CAMERA, Original, SCREENSHOT};
use crate::plan::{CONTENT, FINANCE, SUPPORT};
use crate::tester::{Outcome, Pace, Performance, Tester};
use dyetrace_case::ConsentChange;
use serde_json::json;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The app's image loader keeps here what it shows; "clear cache" empties it.
const CACHE: &str = "cache/uil-images";
/// What the app shows of its own, and where its image loader keeps it. The help page works without the Internet.
const SHOWN: [(&str, &str); 3] =
    [(CACHE, "/banners/spring.jpg"), (CACHE, "/banners/friends.jpg"), (COPIES, "/help/link-river-bank.png")];
/// What the actions' variants say: where the app is meanwhile, or what the user has done.
const BACKGROUND: Option<&str> = Some("in-background");
const FRONT: Option<&str> = Some("in-front");
const CLEARED: Option<&str> = Some("cache-cleared");
const QUESTION: &str = "Why was my transfer refused?";

/// The app and its surroundings.
pub struct App {
    /// The version that is installed.
    pub edition: Edition,
    /// Its way to its maker.
    pub client: Client,
    /// The phone's disk.
    pub disk: Disk,
}

impl App {
    /// Plays the run: log-in; pictures that other apps take while this one is in the background; one of them is sent to
    /// support; the cache is cleared; quiet time. The app's folder is collected before the pictures, after them while
    /// the app is still in the background, and when all is over.
    ///
    /// # Errors
    /// A server or the disk does not do what it is there for.
    pub fn play(&self, tester: &mut dyn Tester, pace: Pace) -> Outcome<()> {
        let helper = Helper { edition: self.edition, client: &self.client, disk: &self.disk };
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let has_helper = self.edition != Edition::Promised;
            let watching = has_helper.then(|| scope.spawn(|| helper.watch(pace.beat / 3, &stop)));
            let used = self.used(tester, pace, &helper);
            stop.store(true, Ordering::SeqCst);
            let kept = watching.map_or(Ok(()), |helper| helper.join().map_err(|_| "the helper broke")?);
            used.and(kept.map_err(Into::into))
        })
    }

    fn used(&self, tester: &mut dyn Tester, pace: Pace, helper: &Helper) -> Outcome<()> {
        let mut run = Performance::begin(&mut *tester, pace);
        self.first_start(&mut run)?;
        run.collect(&self.disk.app())?;
        run.action("leave-app", BACKGROUND, |_| self.alive("background").map(|()| true))?;
        self.take(&mut run, "take-screenshot", SCREENSHOT)?;
        self.take(&mut run, "take-photo", CAMERA)?;
        run.collect(&self.disk.app())?;
        run.action("open-app", FRONT, |_| self.alive("home").map(|()| true))?;
        run.action("send-to-support", FRONT, |run| self.send_to_support(helper, run.pace.times).map(|()| true))?;
        run.action("clear-cache", CLEARED, |_| self.disk.clear_cache().map(|()| true))?;
        run.end(|| self.alive("home"))?;
        tester.collect(&self.disk.app())
    }

    fn first_start(&self, run: &mut Performance) -> Outcome<()> {
        let mut api = self.client.connect(FINANCE)?;
        exchange(&mut api, &self.client.request("GET", "/v1/privacy?lang=en", FINANCE.name))?;
        run.consent(ConsentChange::Shown);
        run.consent(ConsentChange::Given);
        run.planted(&["phone"]);
        run.action("log-in", None, |_| {
            self.log_in(&mut api)?;
            self.show().map(|()| true)
        })
    }

    fn log_in(&self, api: &mut Connection) -> Outcome<()> {
        self.client.post(api, FINANCE, "/v1/log-in", &json!({"phone": owner::PHONE, "code": "0000"}))?;
        goodbye(api.stream());
        self.disk.remember_log_in()
    }

    /// The home screen with its banners, and the help page.
    fn show(&self) -> Outcome<()> {
        let mut content = self.client.connect(CONTENT)?;
        for (folder, path) in SHOWN {
            let picture = ask(&mut content, &self.client.request("GET", path, CONTENT.name))?.body;
            let name = self.edition.cache_name(&format!("https://{}{path}", CONTENT.name));
            self.disk.keep(folder, &name, &picture)?;
        }
        goodbye(content.stream());
        Ok(())
    }

    /// Other apps take pictures. The user looks at each for a while.
    fn take(&self, run: &mut Performance, action: &str, kind: &str) -> Outcome<()> {
        for (name, picture) in gallery::of_kind(kind).take(run.pace.times) {
            run.planted(&[&name]);
            run.action(action, BACKGROUND, |run| {
                self.disk.take(picture)?;
                run.pause();
                run.pause();
                Ok(true)
            })?;
        }
        Ok(())
    }

    /// The user chooses a picture and sends it.
    fn send_to_support(&self, helper: &Helper, taken: usize) -> Outcome<()> {
        let chosen = chosen(taken).ok_or("there is no picture to send")?;
        let (place, name) = match self.edition {
            Edition::Promised => (self.disk.place_of(chosen), chosen.name.to_owned()),
            _ => (prompted(helper.offered(&chosen.uri())), self.edition.cache_name(&chosen.uri())),
        };
        let form = multipart::form(QUESTION, &name, &std::fs::read(place)?);
        let mut support = self.client.connect(SUPPORT)?;
        let request = self.client.request("POST", "/v1/tickets", SUPPORT.name).with(&multipart::media_type(), form);
        exchange(&mut support, &request)?;
        goodbye(support.stream());
        Ok(())
    }

    /// That the app is there, and what it shows.
    fn alive(&self, screen: &str) -> Outcome<()> {
        let mut api = self.client.connect(FINANCE)?;
        self.client.post(&mut api, FINANCE, "/v1/alive", &json!({"screen": screen, "seconds": 4}))?;
        goodbye(api.stream());
        Ok(())
    }
}

/// The prompt offers a copy once it is there.
fn prompted(copy: PathBuf) -> PathBuf {
    let begin = Instant::now();
    while !copy.is_file() && begin.elapsed() < Duration::from_secs(10) {
        thread::sleep(Duration::from_millis(20));
    }
    copy
}

/// The picture that the user sends: the photo taken last, of so many.
pub fn chosen(taken: usize) -> Option<&'static Original> {
    gallery::of_kind(CAMERA).take(taken).map(|(_, original)| original).last()
}
