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
    let first = *text.first()?;
    let named = |(_, english, chinese): &&(u8, &str, &str)| {
        if first >= 0x80 {
            return text.starts_with(chinese.as_bytes());
        }
        text.get(..english.len()).is_some_and(|start| start.eq_ignore_ascii_case(english.as_bytes()))
    };
    PROVINCES.iter().find(named).map(|(code, ..)| *code)
}

/// Signs of an address, from the province down to the room.
const MARKS: &str = "省市区县镇乡村路街道号弄巷栋幢楼室组里苑园";

/// True for a text with at least three Chinese characters of which two are such as addresses are made of, or one with
/// a number.
pub(crate) fn is_address(text: &[u8]) -> bool {
    let Some(start) = core::str::from_utf8(text).ok().or_else(|| longest_utf8(text)) else { return false };
    let (mut chinese, mut marks, mut digits) = (0, 0, 0);
    for character in start.chars().take(80) {
        match character {
            '\u{4e00}'..='\u{9fff}' => {
                chinese += 1;
                marks += u32::from(MARKS.contains(character));
            }
            '0'..='9' | '０'..='９' => digits += 1,
            _ => {}
        }
    }
    chinese >= 3 && (marks >= 2 || marks == 1 && digits > 0 && chinese >= 4)
}

fn longest_utf8(text: &[u8]) -> Option<&str> {
    let text = text.get(..text.len().min(240))?;
    let end = core::str::from_utf8(text).map_or_else(|error| error.valid_up_to(), str::len);
    core::str::from_utf8(text.get(..end)?).ok()
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
    }

    #[test]
    fn an_address_names_places_within_places() {
        assert!(is_address("广东省深圳市南山区科技路1号".as_bytes()));
        assert!(is_address("人民路12号".as_bytes()));
        assert!(
            !is_address("今天天气很好".as_bytes()) && !is_address(b"12 Main Street") && !is_address("李雷".as_bytes())
        );
    }
}
