//! People, written and read back.

use super::{MOST_HELD, People, Person};
use crate::kept::{In, Out, invalid};
use std::io;

impl People {
    /// Writes everybody.
    pub(crate) fn keep(&self, out: &mut Out<'_>) -> io::Result<()> {
        out.numbers(&[u64::from(self.thinned), self.rows, self.rows_without, self.refused])?;
        out.number(self.persons.len() as u64)?;
        for person in &self.persons {
            let Person { parent, keys, birth, first, kinds, host, province } = *person;
            let small = u64::from(birth) << 48 | u64::from(host) << 32 | u64::from(keys) << 8 | u64::from(province);
            out.numbers(&[first, u64::from(parent) << 32 | u64::from(kinds), small])?;
        }
        out.number(self.table.len() as u64)?;
        self.table.iter().try_for_each(|(key, person)| out.numbers(&[key, u64::from(person)]))
    }

    /// Reads what was written.
    pub(crate) fn kept(from: &mut In<'_>) -> io::Result<Self> {
        let mut people = Self::new();
        people.thinned = from.length(64)? as u32;
        (people.rows, people.rows_without, people.refused) = (from.number()?, from.number()?, from.number()?);
        let count = from.length(MOST_HELD)?;
        for _ in 0..count {
            let (first, links, small) = (from.number()?, from.number()?, from.number()?);
            let parent = (links >> 32) as u32;
            if parent as usize >= count {
                return Err(invalid());
            }
            people.persons.push(Person {
                parent,
                keys: (small >> 8) as u16,
                birth: (small >> 48) as u16,
                first,
                kinds: links as u32,
                host: (small >> 32) as u16,
                province: small as u8,
            });
        }
        let held = from.length(MOST_HELD)?;
        people.table.reserve(held);
        for _ in 0..held {
            people.table.insert(from.number()?, from.small()?);
        }
        Ok(people)
    }
}
