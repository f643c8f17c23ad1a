//! Yes, no, and what is not known in between.

/// Three values in the order of truth: `and` is the least, `or` the greatest (Kleene 1952, section 64).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tri {
    /// Certainly not.
    No,
    /// Nobody can tell.
    Maybe,
    /// Certainly.
    Yes,
}

impl Tri {
    pub(crate) fn of(certain: bool) -> Self {
        if certain { Self::Yes } else { Self::No }
    }

    pub(crate) fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
            Self::Yes => Self::No,
        }
    }

    /// Any of these; `No` of none.
    pub(crate) fn any(all: impl IntoIterator<Item = Self>) -> Self {
        all.into_iter().max().unwrap_or(Self::No)
    }
}
