//! The phone, in the version that was reported and in the one after the update.

use super::{SERVER_KEY, owner};
use crate::client::{Client, exchange, goodbye};
use crate::plan::{CLOCK, MESSAGES, MESSAGES_CLEAR};
use crate::seal::{Envelope, KeyPair};
use crate::tester::{Outcome, Pace, Performance, Tester};
use dyetrace_case::ConsentChange;
use serde_json::{Value, json};

/// One use of the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// As reported: on by default, in clear. At the end the user finds the switch and turns the service off.
    Before,
    /// After the update: the user is asked, and says no.
    AfterRefused,
    /// After the update: the user says no at first, and later turns the service on.
    AfterGiven,
}

impl Use {
    /// By the name of the run.
    pub fn of_run(run: &str) -> Option<Self> {
        match run {
            "before" => Some(Self::Before),
            "after-refused" => Some(Self::AfterRefused),
            "after-given" => Some(Self::AfterGiven),
            _ => None,
        }
    }
}

/// The phone and its surroundings.
pub struct Phone {
    /// How it is used.
    pub used: Use,
    /// Its way to its servers.
    pub client: Client,
}

/// `User-Agent` of the service.
pub const AGENT: &str = "CloudMessaging/5.0 (Android 4.4)";

impl Phone {
    /// Plays the run: first start, text messages in each state of consent, quiet time.
    ///
    /// # Errors
    /// A server does not do what it is there for.
    pub fn play(&self, tester: &mut dyn Tester, pace: Pace) -> Outcome<()> {
        let mut run = Performance::begin(tester, pace);
        run.planted(&["phone#2"]);
        let on_by_default = self.used == Use::Before;
        run.action("first-start", None, |_| {
            self.ask_the_time()?;
            if on_by_default { self.activate().map(|()| true) } else { Ok(true) }
        })?;
        self.send_messages(&mut run, on_by_default)?;
        if self.used != Use::Before {
            run.consent(ConsentChange::Shown);
        }
        run.consent(ConsentChange::Refused);
        self.send_messages(&mut run, false)?;
        if self.used == Use::AfterGiven {
            run.consent(ConsentChange::Shown);
            run.consent(ConsentChange::Given);
            self.send_messages(&mut run, true)?;
        }
        run.end(|| self.ask_the_time())
    }

    /// Text messages go through the mobile network, which nobody records here. With the service on, the phone asks its
    /// servers each time whether the friend has the service too.
    fn send_messages(&self, run: &mut Performance, is_on: bool) -> Outcome<()> {
        run.repeat(|run| {
            run.action("send-message", None, |_| {
                let spoken = match (is_on, self.used) {
                    (false, _) => self.ask_the_time(),
                    (true, Use::Before) => self.look_up_in_clear(),
                    (true, _) => self.look_up_sealed(),
                };
                spoken.map(|()| true)
            })
        })
    }

    /// Nothing personal.
    fn ask_the_time(&self) -> Outcome<()> {
        let mut clock = self.client.connect(CLOCK)?;
        exchange(&mut clock, &self.client.request("GET", "/now", CLOCK.name))?;
        goodbye(clock.stream());
        Ok(())
    }

    fn activate(&self) -> Outcome<()> {
        self.tell_in_clear("/v1/activate", &[("phone", json!(owner::NUMBER))])
    }

    fn look_up_in_clear(&self) -> Outcome<()> {
        let contacts = json!([{"phone": owner::FRIEND}]);
        self.tell_in_clear("/v1/online", &[("phone", json!(owner::NUMBER)), ("contacts", contacts)])
    }

    fn tell_in_clear(&self, path: &str, numbers: &[(&str, Value)]) -> Outcome<()> {
        let mut server = self.client.connect_in_clear(MESSAGES_CLEAR)?;
        self.client.post(&mut server, MESSAGES_CLEAR, path, &with_identifiers(numbers))
    }

    /// The numbers are encrypted to the server; the identifiers of phone and SIM card are protected by TLS alone.
    fn look_up_sealed(&self) -> Outcome<()> {
        let numbers = json!({"phone": owner::NUMBER, "contacts": [{"phone": owner::FRIEND}]}).to_string();
        let key = KeyPair::from_pem(SERVER_KEY).ok_or("the server's key cannot be read")?;
        let Envelope { key, data } = Envelope::seal(&key, numbers.as_bytes())?;
        let body = with_identifiers(&[("key", json!(key)), ("data", json!(data))]);
        let mut server = self.client.connect(MESSAGES)?;
        self.client.post(&mut server, MESSAGES, "/v2/online", &body)?;
        goodbye(server.stream());
        Ok(())
    }
}

fn with_identifiers(more: &[(&str, Value)]) -> Value {
    let mut body = json!({"imei": owner::IMEI, "imsi": owner::IMSI, "device": owner::ANDROID_ID});
    for (name, value) in more {
        body[*name] = value.clone();
    }
    body
}
