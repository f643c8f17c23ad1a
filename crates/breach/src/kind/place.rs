//! Provinces, and what makes a text an address.

/// The first two digits of an identity number and the province they stand for (GB/T 2260; 71, 81 and 82 also as 83, 81
/// and 82 in permits), with the characters its name begins with.
pub(crate) const PROVINCES: [(u8, &str, &str); 34] = [
    (11, "Beijing", "北京"),
    (12, "Tianjin", "天津"),
    (13, "Hebei", "河北"),
    (14, "Shanxi", "山西"),
    (15, "Inner Mongolia", "内蒙"),
    (21, "Liaoning", "辽宁"),
    (22, "Jilin", "吉林"),
    (23, "Heilongjiang", "黑龙"),
    (31, "Shanghai", "上海"),
    (32, "Jiangsu", "江苏"),
    (33, "Zhejiang", "浙江"),
    (34, "Anhui", "安徽"),
    (35, "Fujian", "福建"),
    (36, "Jiangxi", "江西"),
    (37, "Shandong", "山东"),
    (41, "Henan", "河南"),
    (42, "Hubei", "湖北"),
    (43, "Hunan", "湖南"),
    (44, "Guangdong", "广东"),
    (45, "Guangxi", "广西"),
    (46, "Hainan", "海南"),
    (50, "Chongqing", "重庆"),
    (51, "Sichuan", "四川"),
    (52, "Guizhou", "贵州"),
    (53, "Yunnan", "云南"),
    (54, "Tibet", "西藏"),
    (61, "Shaanxi", "陕西"),
    (62, "Gansu", "甘肃"),
    (63, "Qinghai", "青海"),
    (64, "Ningxia", "宁夏"),
    (65, "Xinjiang", "新疆"),
    (71, "Taiwan", "台湾"),
    (81, "Hong Kong", "香港"),
    (82, "Macao", "澳门"),
];

/// The province of an identity number, as its two digits.
pub(crate) fn province_of_id(id: &[u8]) -> Option<u8> {
    let [tens @ b'0'..=b'9', units @ b'0'..=b'9', ..] = id else { return None };
    let code = match (tens - b'0') * 10 + (units - b'0') {
        83 => 71,
        code => code,
    };
    PROVINCES.binary_search_by_key(&code, |(code, ..)| *code).is_ok().then_some(code)
}

/// The province whose name, Chinese or in pinyin, the text begins with, as the two digits of GB/T 2260.
pub(crate) fn province_of_text(text: &[u8]) -> Option<u8> {
    if *text.first()? >= 0x80 {
        let begins = text.first_chunk::<6>()?;
        let named = |(_, _, chinese): &&(u8, &str, &str)| chinese.as_bytes().first_chunk() == Some(begins);
        return PROVINCES.iter().find(named).map(|(code, ..)| *code);
    }
    let named = |(_, english, _): &&(u8, &str, &str)| {
        text.get(..english.len()).is_some_and(|start| start.eq_ignore_ascii_case(english.as_bytes()))
    };
    PROVINCES.iter().find(named).map(|(code, ..)| *code)
}

/// Signs of an address, from the province down to the room.
const MARKS: &str = "省市区县镇乡村路街道号弄巷栋幢楼室组里苑园";

/// The first character that may be one of [`MARKS`], and the last.
const IDEOGRAPHS: std::ops::RangeInclusive<u32> = 0x4e00..=0x9fff;

/// One bit for each ideograph: whether it is one of [`MARKS`].
const MARKED: [u64; 0x5200 / 64] = {
    let mut marked = [0; 0x5200 / 64];
    let mut marks = MARKS.as_bytes();
    while let [one, two, three, rest @ ..] = marks {
        let place = ideograph(*one, *two, *three) - 0x4e00;
        marked[(place / 64) as usize] |= 1 << (place % 64);
        marks = rest;
    }
    marked
};

/// The number of a character of three bytes.
const fn ideograph(one: u8, two: u8, three: u8) -> u32 {
    (one as u32 & 0xf) << 12 | (two as u32 & 0x3f) << 6 | three as u32 & 0x3f
}

fn is_mark(ideograph: u32) -> bool {
    let place = ideograph.wrapping_sub(*IDEOGRAPHS.start());
    MARKED.get((place / 64) as usize).is_some_and(|bits| bits >> (place % 64) & 1 == 1)
}

/// True for a text with at least three Chinese characters of which two are such as addresses are made of, or one with
/// a number. Of longer texts 80 characters are looked at, and none behind bytes that are no text.
pub(crate) fn is_address(text: &[u8]) -> bool {
    let (mut chinese, mut marks, mut digits) = (0, 0, 0);
    let mut rest = text;
    for _ in 0..80 {
        let Some((character, after)) = first_character(rest) else { break };
        rest = after;
        if IDEOGRAPHS.contains(&character) {
            chinese += 1;
            marks += u32::from(is_mark(character));
        }
        digits += u32::from(matches!(char::from_u32(character), Some('0'..='9' | '０'..='９')));
        if chinese >= 3 && (marks >= 2 || marks == 1 && digits > 0 && chinese >= 4) {
            return true;
        }
    }
    false
}

/// True where six ideographs begin the text and two of them are such as addresses are made of.
#[inline]
pub(crate) fn begins_as_address(text: &[u8; 18]) -> bool {
    let (mut ideographs, mut marks) = (true, 0);
    for [one, two, three] in text.as_chunks().0 {
        let character = ideograph(*one, *two, *three);
        let continues = (two & three) & 0x80 != 0 && (two | three) & 0x40 == 0;
        ideographs &= (0xe4..=0xe9).contains(one) && continues && IDEOGRAPHS.contains(&character);
        marks += u32::from(is_mark(character));
    }
    ideographs && marks >= 2
}

/// The first character and what follows it. `None` at the end, and before what is no text.
fn first_character(text: &[u8]) -> Option<(u32, &[u8])> {
    match text {
        [byte @ ..0x80, after @ ..] => Some((u32::from(*byte), after)),
        [one @ 0xe4..=0xe9, two @ 0x80..=0xbf, three @ 0x80..=0xbf, after @ ..] => {
            Some((ideograph(*one, *two, *three), after))
        }
        _ => {
            let character = text.get(..text.len().min(4))?.utf8_chunks().next()?.valid().chars().next()?;
            Some((u32::from(character), text.get(character.len_utf8()..)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_province_is_the_same_by_number_and_by_name() {
        assert_eq!(province_of_id(b"440301199001010000"), Some(44));
        assert_eq!(province_of_id(b"830000199001010000"), Some(71), "permits of Taiwan begin with 83");
        assert_eq!(province_of_text("广东省深圳市".as_bytes()), Some(44));
        assert_eq!(province_of_text(b"guangdong"), Some(44));
        assert_eq!(province_of_id(b"99"), None);
        assert_eq!(province_of_text("月球".as_bytes()), None);
        assert!(PROVINCES.is_sorted_by_key(|(code, ..)| *code));
        assert!(PROVINCES.iter().all(|(_, _, chinese)| chinese.len() == 6));
    }

    #[test]
    fn an_address_names_places_within_places() {
        assert!(is_address("广东省深圳市南山区科技路1号".as_bytes()));
        assert!(is_address("人民路12号".as_bytes()));
        assert!(
            !is_address("今天天气很好".as_bytes()) && !is_address(b"12 Main Street") && !is_address("李雷".as_bytes())
        );
    }

    proptest::proptest! {
        #[test]
        fn marks_are_counted_as_they_are_found_one_by_one(text in "[一二三四路号市鿿龥0-9a９、é😀]{0,12}") {
            let of = |is: &dyn Fn(char) -> bool| text.chars().filter(|letter| is(*letter)).count();
            let chinese = of(&|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
            let (marks, digits) = (of(&|letter| MARKS.contains(letter)), of(&|letter| letter.is_ascii_digit() || letter == '９'));
            let expected = chinese >= 3 && (marks >= 2 || marks == 1 && digits > 0 && chinese >= 4);
            proptest::prop_assert_eq!(is_address(text.as_bytes()), expected);
        }
    }
}
