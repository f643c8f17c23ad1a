//! Thresholds of the law that a count of people reaches or does not.
//!
//! 最高人民法院、最高人民检察院关于办理侵犯公民个人信息刑事案件适用法律若干问题的解释 (法释〔2017〕10号), article 5, in
//! force since 2017-06-01: obtaining, selling or providing personal information is "serious" from 50 records of tracks,
//! content of communication, credit or property; from 500 of lodging, communication records, health, transactions and
//! the like; from 5,000 of other personal information; less, where kinds add up in proportion; "especially serious"
//! from ten times as many. What a record is and whether it is true is a court's to say: a count is an indication.

use crate::kind::Kind;
use serde::Serialize;

/// Where the thresholds stand.
pub const SOURCE: &str = "Supreme People's Court and Supreme People's Procuratorate, 法释〔2017〕10号, article 5";

/// A class of the interpretation, and the kinds of columns that it is here.
struct Class {
    name: &'static str,
    threshold: u64,
    kinds: u32,
}

/// The second class (lodging, communication records, health, transactions) is of what rows mean, which no recogniser
/// tells: nothing is counted for it.
const CLASSES: [Class; 2] = [
    Class { name: "property (payment cards)", threshold: 50, kinds: Kind::Card.bit() },
    Class {
        name: "other personal information",
        threshold: 5000,
        kinds: Kind::Email.bit()
            | Kind::Phone.bit()
            | Kind::Landline.bit()
            | Kind::ResidentId.bit()
            | Kind::Permit.bit()
            | Kind::Passport.bit()
            | Kind::Qq.bit()
            | Kind::Plate.bit()
            | Kind::Address.bit()
            | Kind::Name.bit()
            | Kind::Username.bit()
            | Kind::Password.bit()
            | Kind::PasswordHash.bit(),
    },
];

/// A count held against a threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Indication {
    /// The class of the interpretation.
    pub class: &'static str,
    /// From how many records on it is "serious".
    pub threshold: u64,
    /// How often the count of people holds the threshold.
    pub times: f64,
    /// What the count says, in words.
    pub says: &'static str,
    /// Where the threshold stands.
    pub source: &'static str,
}

/// What the counts indicate. `people` gives how many have one of some kinds of fields.
pub(crate) fn indications(people: impl Fn(u32) -> u64) -> Vec<Indication> {
    let times = |class: &Class| people(class.kinds) as f64 / class.threshold as f64;
    let of = |class: &Class| indication(class.name, class.threshold, times(class));
    let mut indications: Vec<_> = CLASSES.iter().map(of).filter(|indication| indication.times > 0.0).collect();
    if indications.len() > 1 {
        let sum = CLASSES.iter().map(times).sum();
        indications.push(indication("all classes in proportion", 1, sum));
    }
    indications
}

fn indication(class: &'static str, threshold: u64, times: f64) -> Indication {
    let says = match times {
        10.0.. => "indication of \"especially serious\": ten times the threshold is reached",
        1.0.. => "indication of \"serious\": the threshold is reached",
        _ => "the threshold is not reached in what was counted",
    };
    // Below a thousandth the exact share would tell a group that is too small to be told.
    let times = (times * 1000.0).floor() / 1000.0;
    Indication { class, threshold, times, says, source: SOURCE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_thousand_people_and_fifty_cards_are_the_thresholds() {
        let counts = |cards: u64, others: u64| {
            let of = move |kinds: u32| if kinds == Kind::Card.bit() { cards } else { others };
            indications(of).into_iter().map(|indication| indication.says.split(':').next().unwrap()).collect::<Vec<_>>()
        };
        let serious = "indication of \"serious\"";
        let not = "the threshold is not reached in what was counted";
        assert_eq!(counts(0, 4_999), [not]);
        assert_eq!(counts(0, 5_000), [serious]);
        assert_eq!(counts(0, 50_000), ["indication of \"especially serious\""]);
        assert_eq!(counts(49, 4_999), [not, not, serious], "two kinds add up in proportion");
        assert_eq!(counts(25, 2_000), [not, not, not]);
        assert_eq!(counts(0, 0), [""; 0]);
    }
}
