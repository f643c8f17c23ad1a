//! What only a field name can tell: names, dates of birth, QQ numbers, Wi-Fi, internet addresses.

use super::resident::{is_date, number};
use super::{Checks, Pass, RecogniseOptions};
use core::net::IpAddr;

/// The commonest family names, which more than nine in ten people in China bear.
const FAMILIES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔\
钟谭陆汪范金石廖贾夏韦付傅方白邹孟熊秦邱江尹薛闫阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟\
殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳欧管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝";

/// Family names of two characters.
const DOUBLE_FAMILIES: &str = "欧阳上官司马诸葛东方皇甫尉迟公孙慕容令狐司徒夏侯端木闻人轩辕南宫";

/// A family name and one or two more Chinese characters, also with the dot of transcribed names.
pub(super) fn name(value: &[u8]) -> Option<Pass> {
    let text = core::str::from_utf8(value.get(..value.len().min(16))?).ok()?;
    let characters = text.chars().count();
    let chinese = text.chars().all(|c| matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}'));
    let first: String = text.chars().take(1).collect();
    let two: String = text.chars().take(2).collect();
    let double = DOUBLE_FAMILIES.as_bytes().chunks_exact(6).any(|known| known == two.as_bytes());
    let known = match characters {
        2 | 3 => FAMILIES.contains(&first) || double,
        4 => double || FAMILIES.contains(&first),
        _ => false,
    };
    (value.len() <= 12 && chinese && known).then(|| Pass::new("name", Checks::PREFIX, 5.0))
}

/// A date from 1900 to today: year, month, day, with or without separators.
pub(super) fn birth_date(value: &[u8], options: RecogniseOptions) -> Option<Pass> {
    let value = value.get(..value.len().min(24))?;
    let mut parts = value.split(|byte| !byte.is_ascii_digit()).filter(|part| !part.is_empty());
    let first = parts.next()?;
    let (year, month, day) = match first.len() {
        8 => (first.get(..4)?, first.get(4..6)?, first.get(6..)?),
        4 => (first, parts.next()?, parts.next()?),
        _ => {
            let second = parts.next()?;
            (parts.next()?, first, second)
        }
    };
    let short = year.len() == 4 && month.len() <= 2 && day.len() <= 2 && value.first()?.is_ascii_digit();
    let [year, month, day] = [year, month, day].map(number);
    let date = is_date(year, month, day, options.year) || (first.len() <= 2 && is_date(year, day, month, options.year));
    (short && date).then(|| Pass::new("birth-date", Checks::DATE, 11.1))
}

/// 5 to 11 digits that do not start with 0.
pub(super) fn qq(value: &[u8]) -> Option<Pass> {
    let shaped = (5..=11).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    (shaped && value.first() != Some(&b'0')).then(|| Pass::new("qq", Checks::default(), 0.2))
}

/// 1 to 32 bytes (IEEE 802.11 section 9.4.2.2) that are not a word for "none".
pub(super) fn ssid(value: &[u8]) -> Option<Pass> {
    let shaped = (1..=32).contains(&value.len()) && !is_word_for_none(value);
    shaped.then(|| Pass::new("wifi.ssid", Checks::default(), 0.0))
}

/// 8 to 63 printable characters, or 64 hex digits (IEEE 802.11 annex J.4).
pub(super) fn wifi_password(value: &[u8]) -> Option<Pass> {
    let shaped = match value.len() {
        8..=63 => value.iter().all(|byte| (b' '..=b'~').contains(byte)),
        64 => value.iter().all(u8::is_ascii_hexdigit),
        _ => false,
    };
    let masked = value.iter().all(|byte| *byte == b'*');
    (shaped && !masked).then(|| Pass::new("wifi.password", Checks::default(), 0.0))
}

fn is_word_for_none(value: &[u8]) -> bool {
    let words: [&[u8]; 10] =
        [b"<unknown ssid>", b"unknown", b"null", b"none", b"nil", b"true", b"false", b"undefined", b"0", b"0x"];
    words.iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// An address that is reached from the internet (RFC 6890): those inside a network are nobody's.
pub(super) fn internet_address(value: &[u8]) -> Option<Pass> {
    let address: IpAddr = core::str::from_utf8(value.get(..value.len().min(46))?).ok()?.parse().ok()?;
    let outside = match address {
        IpAddr::V4(v4) => {
            let shared = matches!(v4.octets(), [100, 64..=127, ..] | [0 | 240.., ..] | [198, 18..=19, ..]);
            let inner = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_documentation();
            !(inner || shared || v4.is_multicast())
        }
        IpAddr::V6(v6) => matches!(v6.segments()[0], 0x2000..=0x3fff) && v6.segments()[..2] != [0x2001, 0xdb8],
    };
    outside.then(|| Pass::new("ip", Checks::PREFIX, 2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_family_name() {
        for good in ["张三", "王小明", "欧阳娜娜", "欧阳修"] {
            assert!(name(good.as_bytes()).is_some(), "{good}");
        }
        for bad in ["首页", "提交订单", "zhang", "张", "张三张三张"] {
            assert!(name(bad.as_bytes()).is_none(), "{bad}");
        }
        assert!(FAMILIES.len().is_multiple_of(3) && DOUBLE_FAMILIES.len().is_multiple_of(6));
    }

    #[test]
    fn dates_of_birth_are_dates_that_have_been() {
        let options = RecogniseOptions { year: 2026, ..RecogniseOptions::default() };
        for good in
            ["1990-03-07", "19900307", "1990/3/7", "1990年03月07日", "03/07/1990", "31.12.1999", "1990-03-07T00:00"]
        {
            assert!(birth_date(good.as_bytes(), options).is_some(), "{good}");
        }
        for bad in ["1990-02-30", "2027-01-01", "19901307", "199003", "-", "90-03-07", "abc1990-03-07"] {
            assert!(birth_date(bad.as_bytes(), options).is_none(), "{bad}");
        }
    }

    #[test]
    fn addresses_inside_a_network_are_nobodys() {
        for good in ["8.8.8.8", "2400:3200::1"] {
            assert!(internet_address(good.as_bytes()).is_some(), "{good}");
        }
        for bad in ["192.168.1.1", "127.0.0.1", "10.1.2.3", "fe80::1", "::1", "1.2.3", "2001:db8::1", "0.0.0.0"] {
            assert!(internet_address(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
