//! What the header of a column says, in English, Chinese and pinyin.

use super::Kind;
use dyetrace_search::whole::kind_of_name;

/// Headers that mean the kind as a whole or as their last word, in lower case without signs between words. Those of
/// personal data that every search knows are not here but with the recognisers.
const WORDS: &[(Kind, &[&str])] = &[
    (Kind::Salt, &["salt", "passsalt", "passwordsalt", "pwdsalt", "ecsalt", "盐"]),
    (
        Kind::Username,
        &[
            "username",
            "uname",
            "login",
            "loginname",
            "account",
            "accountname",
            "nickname",
            "nick",
            "yonghuming",
            "用户名",
            "账号",
            "帐号",
            "昵称",
        ],
    ),
    (
        Kind::Password,
        &["userpass", "userpwd", "pass", "mima", "passwordhash", "hashedpassword", "encryptedpassword", "口令"],
    ),
    (Kind::Address, &["address", "addr", "dizhi", "homeaddress", "street", "地址", "住址", "收货地址"]),
    (Kind::Gender, &["gender", "sex", "xingbie", "性别"]),
    (Kind::Province, &["province", "shengfen", "省份", "省"]),
    (
        Kind::Time,
        &[
            "time",
            "regtime",
            "regdate",
            "createtime",
            "createdat",
            "updatedat",
            "lastlogin",
            "logintime",
            "lasttime",
            "addtime",
            "created",
            "updated",
            "timestamp",
            "datetime",
            "registertime",
            "时间",
            "注册时间",
            "日期",
        ],
    ),
    (Kind::Landline, &["landline", "homephone", "fixedphone", "zuoji", "座机", "固定电话"]),
    (Kind::Name, &["firstname", "lastname", "realname", "username_cn", "xm", "名字"]),
    (Kind::Ip, &["ip", "regip", "lastip", "loginip", "lastloginip", "myip"]),
    (Kind::ResidentId, &["idcard", "cardid", "sfz", "身份证"]),
    (Kind::Email, &["youxiang", "emailaddr", "邮件"]),
    (Kind::Permit, &["hkmopermit", "permitno", "通行证", "通行证号", "居住证"]),
];

/// Words that make whatever stands before them an identifier of a thing, not of a person.
const THINGS: &[&str] =
    &["orderno", "ordersn", "ordernumber", "orderid", "tradeno", "订单号", "流水号", "serialno", "transactionid"];

/// The kind that a header says its column is of. It is a claim: values decide.
///
/// Of a field within objects (`user.name`) the last name says more than all of them as one word.
pub(crate) fn kind_of_header(header: &str) -> Option<Kind> {
    if is_thing(header) {
        return None;
    }
    // Places of lists have no names.
    let is_name = |part: &&str| !part.bytes().all(|byte| byte.is_ascii_digit());
    let last = header.rsplit('.').find(is_name).filter(|last| *last != header);
    last.and_then(kind_of_words).or_else(|| kind_of_words(header))
}

fn kind_of_words(header: &str) -> Option<Kind> {
    let plain: String =
        header.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).take(48).collect();
    let whole = |(kind, words): &(Kind, &[&str])| words.contains(&plain.as_str()).then_some(*kind);
    let ending = |(kind, words): &(Kind, &[&str])| words.iter().any(|word| ends_in(header, word)).then_some(*kind);
    WORDS
        .iter()
        .find_map(whole)
        .or_else(|| kind_of_name(header).and_then(of_search))
        .or_else(|| WORDS.iter().find_map(ending))
}

/// True where the header says that its values number orders, payments and the like.
pub(crate) fn is_thing(header: &str) -> bool {
    let plain: String =
        header.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).take(48).collect();
    THINGS.iter().any(|thing| plain.ends_with(thing))
}

/// Whether the last words of a header, parted by signs or not in Latin script, are these.
fn ends_in(header: &str, word: &str) -> bool {
    let lower = header.to_lowercase();
    let Some(before) = lower.strip_suffix(word) else { return false };
    !word.is_ascii() || before.ends_with(|letter: char| !letter.is_alphanumeric())
}

/// The names of the recognisers as kinds of columns.
fn of_search(name: &str) -> Option<Kind> {
    match name {
        "password.hash" => Some(Kind::Password),
        "device-id" => Some(Kind::Imei),
        _ => Kind::ALL.into_iter().find(|kind| kind.name() == name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_in_english_chinese_and_pinyin() {
        let cases = [
            ("user_email", Kind::Email),
            ("mobile", Kind::Phone),
            ("sfzh", Kind::ResidentId),
            ("身份证号", Kind::ResidentId),
            ("用户名", Kind::Username),
            ("mima", Kind::Password),
            ("passwd", Kind::Password),
            ("ec_salt", Kind::Salt),
            ("QQ", Kind::Qq),
            ("last_login_ip", Kind::Ip),
            ("reg_time", Kind::Time),
            ("收货地址", Kind::Address),
            ("shouji", Kind::Phone),
            ("Gender", Kind::Gender),
            ("user.name", Kind::Name),
            ("user.contact.phone", Kind::Phone),
            ("email.0", Kind::Email),
        ];
        for (header, kind) in cases {
            assert_eq!(kind_of_header(header), Some(kind), "{header}");
        }
    }

    #[test]
    fn numbers_of_orders_are_nobodys() {
        for header in ["order_no", "订单号", "trade_no", "id", "status", ""] {
            assert_eq!(kind_of_header(header), None, "{header}");
        }
        assert!(is_thing("user_order_sn") && !is_thing("mobile"));
    }
}
