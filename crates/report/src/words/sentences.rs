//! One sentence for each code of a fact, in English and Chinese, without its full stop.

/// Code, English, Chinese. Places are explained at [`super::sentence`]'s helper `fill`.
pub(super) const SENTENCES: &[(&str, &str, &str)] = &[];
