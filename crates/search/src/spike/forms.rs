//! Recovery by what became of the value: what a verdict of "nothing was seen" rests on.

use super::slot::{Slot, inject, slots};
use super::{Recovery, mixed, recovered};
use crate::codec::encoders::ALL;
use crate::codec::{base64, hex};
use crate::{Scanner, Scratch};
use dyetrace_case::{Datum, DatumId, Form, Record, Subject};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What was hidden of each datum in each form, and found again.
pub type ByForm = BTreeMap<(DatumId, Form), Recovery>;

/// Hides each value in copies of the records in each form that can be written: bare, behind each codec
/// alone, as the digests that are most common in the wild, and behind each of the tester's keys; and searches
/// the copies. Text goes into each textual carrier of the records, bytes into bodies.
///
/// `Derived` and `Differential` are not tried, nor are RSA and GCM, which are only opened here.
pub fn spike_by_form(
    subject: &Subject,
    scanner: &Scanner,
    records: &[Record],
    progress: &mut dyn FnMut(u64, u64),
) -> ByForm {
    let slots = slots(records);
    let mut scratch = Scratch::default();
    let mut found = ByForm::new();
    let data = subject.data.iter().filter(|datum| !datum.value.is_empty() || content(datum).is_some());
    let jobs: Vec<(&Datum, Hidden)> =
        data.flat_map(|datum| hidden(datum, scanner).into_iter().map(move |hidden| (datum, hidden))).collect();
    for (number, (datum, hidden)) in jobs.iter().enumerate() {
        progress(number as u64, jobs.len() as u64);
        let fits = |carrier: &str| hidden.is_text || matches!(carrier, "body" | "multipart");
        let mut fitting: Vec<_> = slots.iter().filter(|(carrier, _)| fits(carrier)).collect();
        if hidden.bytes.len() > LONG && !fitting.is_empty() {
            // A file takes as long as thousands of values: one carrier stands for all.
            fitting = vec![fitting[mixed(number as u64) as usize % fitting.len()]];
        }
        for (_, places) in fitting {
            let chosen = mixed(number as u64) as usize % places.len().max(1);
            let Some(slot) = places.get(chosen) else { continue };
            if let Some(recovery) = hide(scanner, records, slot, (datum, hidden), &mut scratch) {
                found.entry((datum.id.clone(), hidden.form)).or_default().add(recovery);
            }
        }
    }
    found
}

/// Bytes above which one carrier is tried.
const LONG: usize = 4096;

/// A value in one form.
struct Hidden {
    form: Form,
    bytes: Vec<u8>,
    is_text: bool,
}

fn hide(
    scanner: &Scanner,
    records: &[Record],
    slot: &Slot,
    (datum, hidden): (&Datum, &Hidden),
    scratch: &mut Scratch,
) -> Option<Recovery> {
    let (record, place) = inject(records.get(slot.record)?, slot, &hidden.bytes)?;
    let sightings = scanner.search(&record, scratch).sightings;
    Some(recovered(&sightings, &datum.id, &slot.part, place))
}

fn hidden(datum: &Datum, scanner: &Scanner) -> Vec<Hidden> {
    let mut all = if datum.value.is_empty() { Vec::new() } else { hidden_value(datum, scanner) };
    all.extend(content(datum).into_iter().flat_map(|content| hidden_file(content, scanner)));
    all
}

/// The bytes of a planted file.
fn content(datum: &Datum) -> Option<&[u8]> {
    datum.file.as_ref()?.content.as_ref().map(|content| content.reveal())
}

/// A file goes through the codecs that files are sent behind; what else could be made of it (another encoding of the
/// same picture) is not tried here.
fn hidden_file(content: &[u8], scanner: &Scanner) -> Vec<Hidden> {
    let hidden = |form, bytes, is_text| Hidden { form, bytes, is_text };
    let mut all = vec![hidden(Form::Clear, content.to_vec(), false)];
    all.push(hidden(Form::Encoded, base64::wrap(content, false, true), true));
    all.push(hidden(Form::Encoded, hex::wrap(content), true));
    let gzip = ALL.iter().find(|codec| codec.name == "gzip").and_then(|codec| (codec.wrap)(content));
    all.extend(gzip.map(|bytes| hidden(Form::Encoded, bytes, false)));
    let digests = [Md5::digest(content).to_vec(), Sha1::digest(content).to_vec(), Sha256::digest(content).to_vec()];
    all.extend(digests.map(|digest| hidden(Form::Hashed, hex::wrap(&digest), true)));
    let coded = scanner.needles.keyed.iter().filter_map(|keyed| keyed.wrap(content));
    all.extend(coded.map(|coded| hidden(Form::KnownKey, base64::wrap(&coded, false, true), true)));
    all
}

fn hidden_value(datum: &Datum, scanner: &Scanner) -> Vec<Hidden> {
    let value = datum.value.reveal();
    let text = |form, bytes| Hidden { form, bytes, is_text: true };
    let mut all = vec![text(Form::Clear, value.to_vec())];
    all.extend(ALL.iter().filter_map(|codec| {
        // What a codec leaves as it is was hidden bare.
        let bytes = (codec.wrap)(value).filter(|bytes| bytes != value)?;
        Some(Hidden { form: Form::Encoded, bytes, is_text: codec.gives_text })
    }));
    let digests = [Md5::digest(value).to_vec(), Sha1::digest(value).to_vec(), Sha256::digest(value).to_vec()];
    all.extend(digests.map(|digest| text(Form::Hashed, hex::wrap(&digest))));
    let coded = scanner.needles.keyed.iter().filter_map(|keyed| keyed.wrap(value));
    all.extend(coded.map(|coded| text(Form::KnownKey, base64::wrap(&coded, false, true))));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;
    use dyetrace_case::{Cipher, CipherKey, Iv, KeyMaterial, Secret};

    #[test]
    fn every_form_that_can_be_written_is_hidden_and_found() {
        let mut subject = Subject::default();
        subject.add("wifi.password".parse().unwrap(), Secret::new("Qm7xTr2pKd9w-zzQ1"));
        let key = |cipher, key: &[u8], iv| CipherKey { name: "app".to_owned(), cipher, key: Secret::new(key), iv };
        let mut material = KeyMaterial::default();
        material.ciphers.push(key(Cipher::AesCbc, &[7; 16], Iv::Prefix));
        material.ciphers.push(key(Cipher::AesEcb, &[9; 16], Iv::None));
        let scanner = Scanner::with_key_material(&subject, &material, Options { decoys: 0, ..Options::default() });
        let records = [crate::spike::tests::record(0)];
        let found = spike_by_form(&subject, &scanner, &records, &mut |_, _| {});
        for form in [Form::Clear, Form::Encoded, Form::KnownKey, Form::Hashed] {
            let recovery = found.get(&(subject.data[0].id.clone(), form)).copied().unwrap_or_default();
            assert!(recovery.injected > 0 && recovery.found() == recovery.injected, "{form:?}: {recovery:?}");
        }
        assert!(!found.keys().any(|(_, form)| *form == Form::Derived));
    }

    #[test]
    fn what_a_codec_leaves_as_it_is_counts_for_the_bare_value_alone() {
        let mut subject = Subject::default();
        subject.add("pin".parse().unwrap(), Secret::new("4821"));
        let scanner = Scanner::new(&subject, Options { decoys: 0, ..Options::default() });
        let all = hidden(&subject.data[0], &scanner);
        assert_eq!(all.iter().filter(|hidden| hidden.bytes == b"4821").count(), 1);
        assert!(all.iter().any(|hidden| hidden.form == Form::Encoded && hidden.bytes == b"1284"), "reversed");
    }

    #[test]
    fn that_a_long_value_is_found_again_says_nothing_of_a_short_one() {
        let mut subject = Subject::default();
        subject.add("email".parse().unwrap(), Secret::new("someone.new@planted.example"));
        subject.add("pin".parse().unwrap(), Secret::new("4821"));
        let scanner = Scanner::new(&subject, Options { decoys: 0, ..Options::default() });
        let found = spike_by_form(&subject, &scanner, &[crate::spike::tests::record(0)], &mut |_, _| {});
        let [email, pin] = [0, 1].map(|at| found[&(subject.data[at].id.clone(), Form::Encoded)]);
        assert!(email.found() * 10 >= email.injected * 9, "{email:?}");
        assert!(pin.injected > 0 && pin.found() * 10 < pin.injected * 9, "{pin:?}");
    }
}
