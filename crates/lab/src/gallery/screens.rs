//! Screens of another bank's app. Every bank, person and number in them is made up.

use super::canvas::{Canvas, Colour};
use crate::handmade::random::Random;

const WIDTH: i32 = 720;
const HEIGHT: i32 = 1280;
const PAPER: Colour = [246, 247, 249];
const WHITE: Colour = [255; 3];
const INK: Colour = [28, 34, 44];
const GREY: Colour = [128, 134, 144];
const BANK: Colour = [0, 96, 88];
const LINE: Colour = [224, 226, 230];
const SHOPS: [&str; 8] =
    ["CORNER BAKERY", "CITY METRO", "GREEN MARKET", "BOOK HOUSE", "SALARY", "RENT", "WATER WORKS", "TEA ROOM"];

/// Somebody's account with the other bank.
pub(super) struct Account {
    holder: &'static str,
    number: String,
    balance: String,
    entries: Vec<(&'static str, String, String)>,
    card: String,
}

impl Account {
    /// An account whose numbers follow from a name.
    pub(super) fn new(holder: &'static str, seed: &str) -> Self {
        let mut random = Random::new(seed);
        let mut amount = || format!("{}.{:02}", 10 + random.below(9000), random.below(100));
        let balance = amount();
        let sums: Vec<String> = (0..7).map(|_| amount()).collect();
        let entry = |sum: String| {
            let shop = SHOPS.get(random.below(SHOPS.len() as u64) as usize).copied().unwrap_or_default();
            (shop, format!("{:02}.{:02}.", 1 + random.below(28), 1 + random.below(12)), sum)
        };
        let entries = sums.into_iter().map(entry).collect();
        let number = format!("{} {} {}", random.digits(4), random.digits(4), random.digits(4));
        // Numbers that begin with 9 are not given to banks (ISO/IEC 7812-1).
        let card = format!("9{} {} {} {}", random.digits(3), random.digits(4), random.digits(4), random.digits(4));
        Self { holder, number, balance, entries, card }
    }

    /// What the account has, and the last entries.
    pub(super) fn overview(&self, clock: &str) -> Canvas {
        let mut screen = frame(clock, "ACCOUNT");
        screen.rectangle(24, 190, WIDTH - 48, 250, WHITE);
        screen.text(56, 222, 3, GREY, self.holder);
        screen.text(56, 268, 3, GREY, &self.number);
        screen.text(56, 340, 8, INK, &self.balance);
        screen.text_to(WIDTH - 56, 222, 3, BANK, "GIRO");
        for (row, (shop, day, sum)) in self.entries.iter().enumerate() {
            let top = 480 + row as i32 * 96;
            screen.rectangle(24, top, WIDTH - 48, 94, WHITE);
            let shade = SHOPS.iter().position(|one| one == shop).unwrap_or_default() as u8 * 20;
            screen.ellipse((76, top + 46), (28, 28), [200 - shade, 90 + shade / 2, 60 + shade]);
            screen.text(126, top + 20, 3, INK, shop);
            screen.text(126, top + 56, 2, GREY, day);
            screen.text_to(WIDTH - 52, top + 34, 4, INK, sum);
        }
        screen
    }

    /// A transfer that was just made.
    pub(super) fn transfer(&self, clock: &str, to: &str) -> Canvas {
        let mut screen = frame(clock, "TRANSFER");
        screen.ellipse((WIDTH / 2, 300), (76, 76), [60, 170, 100]);
        screen.text(WIDTH / 2 - 30, 268, 9, WHITE, "V");
        let (_, day, sum) = &self.entries[0];
        screen.text(WIDTH / 2 - sum.len() as i32 * 30, 420, 10, INK, sum);
        let rows = [("FROM", self.holder), ("ACCOUNT", &self.number), ("TO", to), ("DAY", day), ("STATE", "DONE")];
        for (row, (name, value)) in rows.into_iter().enumerate() {
            let top = 560 + row as i32 * 100;
            screen.text(56, top, 3, GREY, name);
            screen.text_to(WIDTH - 56, top, 4, INK, value);
            screen.rectangle(56, top + 60, WIDTH - 112, 2, LINE);
        }
        screen.rectangle(56, 1110, WIDTH - 112, 96, BANK);
        screen.text(WIDTH / 2 - 48, 1142, 4, WHITE, "BACK");
        screen
    }

    /// The card of the account.
    pub(super) fn card(&self, clock: &str) -> Canvas {
        let mut screen = frame(clock, "MY CARDS");
        screen.rectangle(60, 220, 600, 370, [20, 60, 110]);
        screen.rectangle(110, 300, 90, 66, [210, 180, 90]);
        screen.ellipse((570, 500), (54, 54), [220, 120, 60]);
        screen.ellipse((510, 500), (54, 54), [200, 60, 60]);
        screen.text(110, 420, 4, WHITE, &self.card);
        screen.text(110, 500, 3, WHITE, self.holder);
        screen.text_to(640, 250, 4, WHITE, "RIVER BANK");
        for (row, name) in ["LIMIT", "BLOCK CARD", "ONLINE PAYMENTS", "NEW PIN"].into_iter().enumerate() {
            let top = 660 + row as i32 * 120;
            screen.rectangle(24, top, WIDTH - 48, 110, WHITE);
            screen.text(60, top + 40, 4, INK, name);
            screen.text_to(WIDTH - 60, top + 40, 4, GREY, if row == 0 { &self.balance } else { "-" });
        }
        screen
    }
}

/// What all screens of that app share.
fn frame(clock: &str, title: &str) -> Canvas {
    let mut screen = Canvas::new(WIDTH, HEIGHT, PAPER);
    screen.rectangle(0, 0, WIDTH, 48, [0, 70, 64]);
    screen.text(24, 12, 3, WHITE, clock);
    screen.text_to(WIDTH - 24, 12, 3, WHITE, "4G 83%");
    screen.rectangle(0, 48, WIDTH, 110, BANK);
    screen.text(32, 86, 5, WHITE, title);
    screen.text_to(WIDTH - 32, 90, 3, [160, 210, 200], "RIVER BANK");
    screen.rectangle(0, 1220, WIDTH, 60, [20; 3]);
    screen.ellipse((WIDTH / 2, 1250), (16, 16), GREY);
    screen
}
