//! The side of whoever asks: blinds an identifier, checks what comes back, and reads the one entry that is theirs.
//! No network and no randomness of its own: it is the same in the command and in the browser.

use crate::identifier::Identifier;
use crate::manifest::{Manifest, Source};
use crate::oprf::{Element, Evaluation};
use crate::record;
use curve25519_dalek::scalar::Scalar;
use rand_core::{TryCryptoRng, TryRngCore};
use std::fmt;
use voprf::{EvaluationElement, Group, Proof, Ristretto255, VoprfClient};
use zeroize::Zeroize as _;

/// One identifier that is being asked for.
pub struct Question {
    identifier: Identifier,
    blinding: VoprfClient<Ristretto255>,
    element: Element,
    bucket: u32,
}

/// Fields of somebody in one dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure {
    /// The dump.
    pub source: Source,
    /// The names of the fields of theirs that are in it.
    pub fields: Vec<String>,
}

/// Why there is no answer. None of these is a *no*.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAnswer {
    /// What came is no evaluation of what was asked.
    Form,
    /// The service did not use the key that the manifest names.
    Proof,
    /// The bucket is not from the signed index, or the entry in it that is asked for is damaged.
    Bucket,
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Form => "the service's answer is no evaluation of what was asked",
            Self::Proof => "the service did not use the key that its manifest names",
            Self::Bucket => "the bucket is not from the signed index, or its entry is damaged",
        })
    }
}

impl std::error::Error for NoAnswer {}

impl Question {
    /// Blinds an identifier with 64 random bytes, which must be used for nothing else. `None` does not occur for a
    /// manifest that was checked, but with a chance of 2^-252.
    pub fn new(manifest: &Manifest, identifier: Identifier, entropy: &mut [u8; 64]) -> Option<Self> {
        let bucket = manifest.bucket_of(&identifier)?;
        let mut random = OneScalar(Some(Scalar::from_bytes_mod_order_wide(entropy).to_bytes()));
        entropy.zeroize();
        let blinded = VoprfClient::<Ristretto255>::blind(identifier.bytes(), &mut random).ok()?;
        let element = blinded.message.serialize().as_slice().try_into().ok()?;
        Some(Self { identifier, blinding: blinded.state, element, bucket })
    }

    /// What the service is sent: a random element, whatever is asked for.
    pub fn element(&self) -> Element {
        self.element
    }

    /// The bucket to be fetched.
    pub fn bucket(&self) -> u32 {
        self.bucket
    }

    /// The bucket's number as it is sent, always of seven digits: the length of a request can be seen through TLS.
    pub fn bucket_digits(&self) -> String {
        format!("{:07}", self.bucket)
    }
}

/// Reads the answers to questions that were asked at once: the evaluation of their elements in this order, and the
/// bucket of each. An empty list says, with proof, that the identifier is not in the index that the manifest is of.
///
/// # Errors
/// Where anything of it is not what the manifest promises, so that a service cannot lie by leaving out.
pub fn answers(
    manifest: &Manifest,
    questions: &[Question],
    evaluation: &Evaluation,
    frames: &[&[u8]],
) -> Result<Vec<Vec<Exposure>>, NoAnswer> {
    let index = manifest.id().ok_or(NoAnswer::Form)?;
    let outputs = outputs(manifest, questions, evaluation)?;
    if frames.len() != questions.len() {
        return Err(NoAnswer::Form);
    }
    let answer = |((question, output), frame): ((&Question, _), &&[u8])| {
        let entries = manifest.entries(question.bucket, frame).ok_or(NoAnswer::Bucket)?;
        let found = record::find(&index, &output, entries, manifest.sources.len());
        let record = found.map_err(|record::Unreadable| NoAnswer::Bucket)?;
        Ok(record.map_or_else(Vec::new, |record| exposures(manifest, &record)))
    };
    questions.iter().zip(outputs).zip(frames).map(answer).collect()
}

fn outputs(manifest: &Manifest, questions: &[Question], evaluation: &Evaluation) -> Result<Vec<[u8; 64]>, NoAnswer> {
    let public = manifest.element().ok_or(NoAnswer::Form)?;
    let public = Ristretto255::deserialize_elem(&public).map_err(|_| NoAnswer::Form)?;
    let decode = |element: &Element| EvaluationElement::<Ristretto255>::deserialize(element);
    let elements: Vec<_> =
        evaluation.elements.iter().map(decode).collect::<Result<_, _>>().map_err(|_| NoAnswer::Form)?;
    let proof = Proof::deserialize(&evaluation.proof).map_err(|_| NoAnswer::Proof)?;
    if elements.len() != questions.len() {
        return Err(NoAnswer::Form);
    }
    let inputs: Vec<&[u8]> = questions.iter().map(|question| question.identifier.bytes()).collect();
    let states: Vec<_> = questions.iter().map(|question| question.blinding.clone()).collect();
    let outputs = VoprfClient::batch_finalize(&inputs, &states, &elements, &proof, public);
    let outputs = outputs.map_err(|_| NoAnswer::Proof)?;
    outputs.map(|output| output.map(Into::into).map_err(|_| NoAnswer::Form)).collect()
}

fn exposures(manifest: &Manifest, record: &record::Record) -> Vec<Exposure> {
    let names = |bits: u64| {
        let named = manifest
            .fields
            .iter()
            .enumerate()
            .filter(|(place, _)| bits.checked_shr(*place as u32).unwrap_or(0) & 1 == 1);
        named.map(|(_, name)| name.clone()).collect()
    };
    let found = manifest.sources.iter().zip(record.fields).filter(|(_, bits)| *bits != 0);
    found.map(|(source, bits)| Exposure { source: source.clone(), fields: names(bits) }).collect()
}

/// Gives one scalar, once: `voprf` draws its blind from a generator, and ours was drawn by the caller.
struct OneScalar(Option<[u8; 32]>);

/// The scalar was drawn before.
#[derive(Debug)]
struct Spent;

impl fmt::Display for Spent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("no more randomness was given")
    }
}

impl TryRngCore for OneScalar {
    type Error = Spent;

    fn try_next_u32(&mut self) -> Result<u32, Spent> {
        Err(Spent)
    }

    fn try_next_u64(&mut self) -> Result<u64, Spent> {
        Err(Spent)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Spent> {
        let mut scalar = self.0.take().filter(|scalar| scalar.len() == bytes.len()).ok_or(Spent)?;
        bytes.copy_from_slice(&scalar);
        scalar.zeroize();
        Ok(())
    }
}

impl TryCryptoRng for OneScalar {}
