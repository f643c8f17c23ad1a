//! How fast rows are taken apart: `split sql 256 | list 256 | csv 256` (mebibytes), made in memory first.
//! The time of making is told apart, so that `perf stat` of two sizes gives instructions per byte.

use std::io::Read;
use std::time::Instant;

use dyetrace_breach::{Batch, Damage, Options, Sink, Table, TableId, read_from};

/// Adds up what it sees, so that nothing is left out.
#[derive(Default)]
struct Sums {
    rows: u64,
    fields: u64,
    bytes: u64,
    damages: u64,
}

impl Sink for Sums {
    fn table(&mut self, _: &Table) -> TableId {
        TableId(0)
    }

    fn batch(&mut self, _: TableId, batch: &Batch<'_>) {
        self.rows += batch.len() as u64;
        self.fields += batch.spans.len() as u64;
        self.bytes += batch.bytes.len() as u64;
    }

    fn damage(&mut self, _: Damage) {
        self.damages += 1;
    }
}

/// Gives a piece of text over and over.
struct Again<'a> {
    piece: &'a [u8],
    at: usize,
    left: usize,
}

impl Read for Again<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            return Ok(0);
        }
        let count = buffer.len().min(self.piece.len() - self.at);
        buffer[..count].copy_from_slice(&self.piece[self.at..self.at + count]);
        self.at += count;
        if self.at == self.piece.len() {
            self.at = 0;
            self.left -= 1;
        }
        Ok(count)
    }
}

fn row(form: &str, number: u64) -> String {
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let (phone, hash) = (13_000_000_000 + mixed % 1_000_000_000, u128::from(mixed) << 64 | u128::from(mixed));
    match form {
        "sql" => format!(
            "({number},'user{mixed:x}','张伟{number}','u{number}@qq.com','{phone}','{hash:032x}','11010119800101{:04}',NULL,'2012-0{}-11 10:20:30'),",
            mixed % 10_000,
            number % 9 + 1
        ),
        "csv" => format!("{number},user{mixed:x},\"Zhang, Wei\",u{number}@qq.com,{phone},{hash:032x}\n"),
        _ => format!("user{mixed:x}----{hash:032x}----u{number}@qq.com----{phone}\r\n"),
    }
}

#[expect(clippy::print_stdout, reason = "it is run for what it prints")]
fn main() {
    let mut words = std::env::args().skip(1);
    let form = words.next().unwrap_or_else(|| "sql".into());
    let mebibytes: usize = words.next().and_then(|word| word.parse().ok()).unwrap_or(256);
    let mut piece = String::new();
    let mut number = 0;
    while piece.len() < 16 << 20 {
        let mut line = if form == "sql" { "INSERT INTO `users` VALUES ".to_owned() } else { String::new() };
        while line.len() < 1 << 20 {
            number += 1;
            line += &row(&form, number);
        }
        if form == "sql" {
            line.pop();
            line += ";\n";
        }
        piece += &line;
    }
    let mut source = Again { piece: piece.as_bytes(), at: 0, left: mebibytes.div_ceil(16) };
    let bytes = source.left * piece.len();
    let mut sums = Sums::default();
    let begun = Instant::now();
    read_from("generated", &mut source, &Options::default(), &mut sums);
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{form}: {} rows, {} fields, {} damages, {bytes} bytes in {seconds:.3} s: {:.2} GB/s",
        sums.rows,
        sums.fields,
        sums.damages,
        bytes as f64 / seconds / 1e9
    );
}
