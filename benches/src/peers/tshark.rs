//! tshark (Wireshark's command line), which decrypts with the keys inside the capture.

use super::{Check, Row, lines_of};
use crate::expected::Expected;
use crate::measure::{self, Cost};
use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;

const NAME: &str = "tshark -T fields: method, host, path";

/// Lists all requests. Bodies are not compared: version 4.0 prints binary ones as cut text.
pub(crate) fn run(input: &Path, expected: &Expected) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut cost = None;
    let found = requests(input, Some(&mut cost))?;
    let found = found.into_iter().collect();
    let check = Check::new("requests: method, host, path", &lines_of(expected), &found);
    let cost = cost.ok_or("tshark was not measured")?;
    Ok(vec![Row { name: NAME, checked: vec![check], cost }])
}

/// One line for each request, as [`super::line_of`] writes them.
pub(crate) fn requests(input: &Path, cost: Option<&mut Option<Cost>>) -> Result<BTreeSet<String>, Box<dyn Error>> {
    let path = input.display().to_string();
    let fields = ["-e", "http.request.method", "-e", "http.host", "-e", "http.request.uri"];
    // Without this, version 4.0 gives up a TLS stream at the first segment out of order.
    let order = ["-o", "tcp.reassemble_out_of_order:TRUE"];
    let command = ["tshark", "-n", "-r", &path, "-Y", "http.request", "-T", "fields"];
    let command = [command.as_slice(), &order, &fields].concat();
    let output = match cost {
        Some(cost) => {
            let file = input.with_extension("tshark.txt");
            *cost = Some(measure::run(&command, &file)?);
            std::fs::read(file)?
        }
        None => std::process::Command::new(command[0]).args(&command[1..]).output()?.stdout,
    };
    Ok(String::from_utf8_lossy(&output).lines().flat_map(split).collect())
}

/// A packet that ends several requests holds their fields joined by commas.
fn split(line: &str) -> Vec<String> {
    let columns: Vec<Vec<&str>> = line.split('\t').map(|column| column.split(',').collect()).collect();
    let count = columns.first().map_or(0, Vec::len);
    let row = |at: usize| columns.iter().map(|column| *column.get(at).unwrap_or(&"")).collect::<Vec<_>>().join(" ");
    (0..count).map(row).collect()
}
