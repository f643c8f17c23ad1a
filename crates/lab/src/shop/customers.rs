//! The shop's customers: made up, the same for the same seed on every machine, any number of them.
//!
//! Numbers and names have the shape of real ones, with check digits where those exist, because what reads a dump is to be
//! tried on them. Nobody's data was used.

/// Makes customers by their number: the same number gives the same customer, so that copies of a dump can be made in
/// any order and from any part.
#[derive(Debug, Clone, Copy)]
pub struct Customers {
    seed: u64,
}

/// One customer of the shop, with everything that the forms of dumps may hold of them. What stands in clear here stands
/// in clear nowhere but in a dump that a test made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The shop's number of the customer, from 1.
    pub number: u64,
    /// The name of the account.
    pub account: String,
    /// Family and given name.
    pub name: String,
    /// 11 digits of a Chinese mobile.
    pub mobile: String,
    /// Lower case.
    pub email: String,
    /// A QQ number; those with a mail address of QQ have that number in it.
    pub qq: Option<String>,
    /// 18 characters with check digit (GB 11643-1999); three of four customers gave it.
    pub resident_id: Option<String>,
    /// A UnionPay card of 19 digits with its check digit (Luhn); one of ten customers left one.
    pub card: Option<String>,
    /// What was typed as password.
    pub password: String,
    /// Seconds since 1970 at which the account was opened: 2008 to 2013.
    pub opened: i64,
    /// Milliseconds since 1970 of the last visit: 13 digits that begin like a mobile.
    pub visited: u64,
    /// The last order: 18 digits that are no card.
    pub order: String,
    /// Where to deliver.
    pub address: String,
}

impl Customers {
    /// The customers of that seed.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Numbers that differ wherever `number` differs below `range`: a step that shares no factor with the ranges used,
    /// all of them products of 2, 3, 5 and 13, and a start of the seed's own.
    fn mixed(self, number: u64, range: u64) -> u64 {
        let start = u128::from(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        ((u128::from(number) * 2_862_933_555_777_941_757 + start) % u128::from(range)) as u64
    }

    /// The customer with that number.
    pub fn get(&self, number: u64) -> Customer {
        let mut random = Random(self.seed ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93));
        let opened = 1_200_000_000 + random.below(186_000_000) as i64;
        let qq = (random.below(3) == 0).then(|| (100_000_000 + self.mixed(number, 3_900_000_000)).to_string());
        let account = format!("{}{}", random.pick(&GIVEN_PINYIN), 1000 + self.mixed(number, 900_000_000));
        let mobile = format!("{}{:08}", random.pick(&MOBILE_PREFIXES), self.mixed(number, 100_000_000));
        let mail_name = if random.below(2) == 0 { mobile.clone() } else { account.clone() };
        let email = match &qq {
            Some(qq) => format!("{qq}@qq.com"),
            None => format!("{mail_name}@{}", random.pick(&MAIL_HOSTS)),
        };
        Customer {
            number,
            name: name(&mut random),
            resident_id: (random.below(4) > 0).then(|| resident_id(&mut random)),
            card: (random.below(10) == 0).then(|| card(&mut random)),
            password: password(&mut random),
            visited: 1_330_000_000_000 + random.below(60_000_000_000),
            order: order(&mut random),
            address: address(&mut random),
            account,
            mobile,
            email,
            qq,
            opened,
        }
    }
}

/// `SplitMix64` (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
#[derive(Debug)]
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end.max(1)
    }

    fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of.get(self.below(of.len() as u64) as usize).copied().unwrap_or_default()
    }

    fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + self.below(10) as u8)).collect()
    }
}

fn name(random: &mut Random) -> String {
    let mut name = format!("{}{}", random.pick(&FAMILY_NAMES), random.pick(&GIVEN_NAMES));
    if random.below(3) > 0 {
        name.push_str(random.pick(&GIVEN_NAMES));
    }
    name
}

/// A place, a day of birth, a sequence, and the check digit of ISO 7064 MOD 11-2.
fn resident_id(random: &mut Random) -> String {
    let year = 1950 + random.below(48);
    let (month, day) = (1 + random.below(12), 1 + random.below(28));
    let sequence = random.below(1000);
    let body = format!("{}{year}{month:02}{day:02}{sequence:03}", random.pick(&PLACES));
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body.bytes().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    let check = char::from(b"10X98765432"[(sum % 11) as usize]);
    format!("{body}{check}")
}

fn card(random: &mut Random) -> String {
    let body = format!("{}{}", random.pick(&CARD_ISSUERS), random.digits(12));
    let check = (10 - luhn(&format!("{body}0")) % 10) % 10;
    format!("{body}{check}")
}

/// The sum of ISO/IEC 7812-1, annex B: a multiple of ten where the last digit is right.
pub(super) fn luhn(digits: &str) -> u32 {
    let doubled = |(at, digit): (usize, u8)| {
        let digit = u32::from(digit - b'0') << (at % 2);
        digit / 10 + digit % 10
    };
    digits.bytes().rev().enumerate().map(doubled).sum()
}

/// What many people choose, or a word of their own.
fn password(random: &mut Random) -> String {
    match random.below(10) {
        0 | 1 => random.pick(&COMMON_PASSWORDS).to_owned(),
        2..=5 => format!("{}{}", random.pick(&GIVEN_PINYIN), random.digits(6)),
        _ => format!("{}{}{}", random.pick(&GIVEN_PINYIN), random.digits(3), random.pick(&GIVEN_PINYIN)),
    }
}

/// Eighteen digits that begin like a card and are none: the check digit is never right.
fn order(random: &mut Random) -> String {
    let body = format!("62{}", random.digits(15));
    let right = (10 - luhn(&format!("{body}0")) % 10) % 10;
    format!("{body}{}", (right + 1 + random.below(9) as u32) % 10)
}

fn address(random: &mut Random) -> String {
    let (city, street) = (random.pick(&CITIES), random.pick(&STREETS));
    format!("{city}{street}{}号{}室", 1 + random.below(400), 101 + random.below(2400))
}

const MOBILE_PREFIXES: [&str; 20] = [
    "130", "131", "132", "133", "135", "136", "137", "138", "139", "150", "151", "152", "158", "159", "180", "182",
    "186", "187", "188", "189",
];
const MAIL_HOSTS: [&str; 6] = ["163.com", "126.com", "sina.com", "sohu.com", "gmail.com", "hotmail.com"];
const PLACES: [&str; 16] = [
    "110101", "110105", "120101", "130102", "210102", "310104", "320102", "330106", "350203", "370102", "420106",
    "440106", "440305", "500103", "510104", "610113",
];
const CARD_ISSUERS: [&str; 6] = ["622202", "621700", "622848", "621661", "622588", "621483"];
const COMMON_PASSWORDS: [&str; 12] = [
    "123456",
    "123456789",
    "111111",
    "000000",
    "password",
    "qwerty",
    "5201314",
    "12345678",
    "a123456",
    "123123",
    "666666",
    "woaini1314",
];
const GIVEN_PINYIN: [&str; 24] = [
    "wei", "fang", "min", "jing", "lei", "qiang", "yang", "yan", "jun", "jie", "tao", "ming", "chao", "xia", "ping",
    "gang", "hui", "lan", "mei", "bo", "dan", "hao", "kai", "ning",
];
const FAMILY_NAMES: [&str; 30] = [
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡", "郭", "何", "林", "高",
    "罗", "郑", "梁", "谢", "宋", "唐", "许", "韩", "冯", "邓", "曹",
];
const GIVEN_NAMES: [&str; 30] = [
    "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "洋", "艳", "勇", "军", "杰", "娟", "涛", "明", "超", "霞", "平",
    "刚", "玲", "辉", "华", "兰", "梅", "波", "丹", "浩", "凯", "宁",
];
const CITIES: [&str; 8] = [
    "北京市朝阳区",
    "上海市徐汇区",
    "广州市天河区",
    "深圳市福田区",
    "杭州市西湖区",
    "成都市锦江区",
    "武汉市武昌区",
    "南京市玄武区",
];
const STREETS: [&str; 8] = ["建国路", "人民路", "中山路", "解放路", "文化路", "和平街", "新华街", "学院路"];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_customer_follows_from_seed_and_number_and_no_two_share_an_identifier() {
        let customers = Customers::new(3);
        assert_eq!(customers.get(17), Customers::new(3).get(17));
        assert_ne!(customers.get(17), Customers::new(4).get(17));
        let all: Vec<Customer> = (1..=20_000).map(|number| customers.get(number)).collect();
        let distinct = |of: fn(&Customer) -> String| all.iter().map(of).collect::<HashSet<_>>().len();
        assert_eq!(distinct(|customer| customer.account.clone()), all.len());
        assert_eq!(distinct(|customer| customer.mobile.clone()), all.len());
        assert_eq!(distinct(|customer| customer.email.clone()), all.len());
    }

    #[test]
    fn cards_have_their_check_digit_and_orders_never_do() {
        let customers = Customers::new(3);
        for customer in (1..=5_000).map(|number| customers.get(number)) {
            assert!(customer.card.is_none_or(|card| card.len() == 19 && luhn(&card).is_multiple_of(10)));
            assert!(customer.order.len() == 18 && !luhn(&customer.order).is_multiple_of(10));
        }
    }

    #[test]
    fn the_check_character_of_an_identity_number_is_that_of_the_standard() {
        // The example of GB 11643-1999, annex.
        let ids = (1..=400).filter_map(|number| Customers::new(3).get(number).resident_id);
        let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2, 1];
        let value = |byte: u8| if byte == b'X' { 10 } else { u32::from(byte - b'0') };
        for id in ids.chain(["11010519491231002X".to_owned()]) {
            let sum: u32 = id.bytes().zip(weights).map(|(byte, weight)| value(byte) * weight).sum();
            assert_eq!(sum % 11, 1, "{id}");
        }
    }
}
