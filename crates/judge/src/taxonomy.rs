//! What kinds of data are called elsewhere: the Data Privacy Vocabulary, the stores' forms; and the groups that claims
//! and rules may name. `docs/taxonomy.md` is made from this.
//!
//! What counts as *sensitive* is not here: it depends on the law and its date, so rule packs say it.

use dyetrace_case::Kind;
use std::fmt::Write as _;

/// How a kind stands to a term of another vocabulary (SKOS mapping properties).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// `skos:exactMatch`: the same thing.
    Exact,
    /// `skos:broadMatch`: the term is wider.
    Broad,
    /// `skos:narrowMatch`: the term is narrower.
    Narrow,
}

impl Match {
    /// The word in the page of the taxonomy.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Broad => "broad",
            Self::Narrow => "narrow",
        }
    }
}

/// Kinds that claims and rules may name together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// What tells one device or installation from others.
    DeviceIdentifier,
    /// Ways of reaching a person.
    Contact,
    /// What lets somebody in: passwords, keys.
    Credential,
    /// Where a person is, to within about a street.
    PreciseLocation,
    /// Numbers and pictures of papers that a state issued.
    OfficialId,
    /// Photographs, screenshots, faces.
    Picture,
    /// Accounts and cards with money behind them.
    Financial,
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 7] = [
        Self::DeviceIdentifier,
        Self::Contact,
        Self::Credential,
        Self::PreciseLocation,
        Self::OfficialId,
        Self::Picture,
        Self::Financial,
    ];

    /// The word in claims and rules.
    pub fn name(self) -> &'static str {
        match self {
            Self::DeviceIdentifier => "device-identifier",
            Self::Contact => "contact",
            Self::Credential => "credential",
            Self::PreciseLocation => "precise-location",
            Self::OfficialId => "official-id",
            Self::Picture => "picture",
            Self::Financial => "financial",
        }
    }

    /// The group of that name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.name() == name)
    }

    /// True for kinds of the group.
    pub fn covers(self, kind: &Kind) -> bool {
        entry(kind).is_some_and(|entry| entry.groups.contains(&self))
    }
}

/// One line of the taxonomy: a kind and everything below it that has no line of its own.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The dotted kind.
    pub kind: &'static str,
    /// In English.
    pub en: &'static str,
    /// In Chinese.
    pub zh: &'static str,
    /// Groups it belongs to.
    pub groups: &'static [Group],
    /// Local names below `https://w3id.org/dpv/pd#` (DPV 2.3).
    pub dpv: &'static [(&'static str, Match)],
    /// Category of Apple's privacy label; empty where it has none.
    pub apple: &'static str,
    /// Category of Google's Data safety form; empty where it has none.
    pub google: &'static str,
}

const fn entry_of(
    kind: &'static str,
    (en, zh): (&'static str, &'static str),
    groups: &'static [Group],
    dpv: &'static [(&'static str, Match)],
    (apple, google): (&'static str, &'static str),
) -> Entry {
    Entry { kind, en, zh, groups, dpv, apple, google }
}

use Group::{Contact, Credential, DeviceIdentifier, Financial, OfficialId, Picture, PreciseLocation};
use Match::{Broad, Exact, Narrow};

const DEVICE: (&str, &str) = ("Identifiers: Device ID", "Device or other IDs");
const OTHER: (&str, &str) = ("Other Data", "");

/// Every kind that is information about a person, their devices or their home, in the broad sense of PIPL article 4 and
/// GDPR article 4(1); in order of their names.
#[rustfmt::skip]
pub const TAXONOMY: &[Entry] = &[
    entry_of("account", ("account name", "账号"), &[], &[("Username", Broad)], ("Identifiers: User ID", "Personal info: User IDs")),
    entry_of("address", ("postal address", "地址"), &[Contact], &[("PhysicalAddress", Exact)], ("Contact Info: Physical Address", "Personal info: Address")),
    entry_of("advertising", ("advertising identifier", "广告标识符"), &[DeviceIdentifier], &[("UID", Broad), ("DeviceBased", Broad)], DEVICE),
    entry_of("advertising-id", ("advertising identifier", "广告标识符"), &[DeviceIdentifier], &[("UID", Broad), ("DeviceBased", Broad)], DEVICE),
    entry_of("age", ("age", "年龄"), &[], &[("Age", Exact)], ("Sensitive Info", "Personal info: Other info")),
    entry_of("album", ("photographs", "相册"), &[Picture], &[("Picture", Broad)], ("User Content: Photos or Videos", "Photos and videos: Photos")),
    entry_of("android", ("Android ID", "安卓标识符"), &[DeviceIdentifier], &[("UID", Broad), ("DeviceBased", Broad)], DEVICE),
    entry_of("android-id", ("Android ID", "安卓标识符"), &[DeviceIdentifier], &[("UID", Broad), ("DeviceBased", Broad)], DEVICE),
    entry_of("bank", ("bank account", "银行账户"), &[Financial], &[("BankAccount", Exact)], ("Financial Info: Payment Info", "Financial info: User payment info")),
    entry_of("bank-account", ("bank account", "银行账户"), &[Financial], &[("BankAccount", Exact)], ("Financial Info: Payment Info", "Financial info: User payment info")),
    entry_of("bank.card", ("bank card number", "银行卡号"), &[Financial], &[("PaymentCardNumber", Exact)], ("Financial Info: Payment Info", "Financial info: User payment info")),
    entry_of("birthday", ("date of birth", "出生日期"), &[], &[("BirthDate", Exact)], ("Sensitive Info", "Personal info: Other info")),
    entry_of("bluetooth", ("Bluetooth address", "蓝牙地址"), &[DeviceIdentifier], &[("MACAddress", Broad)], DEVICE),
    entry_of("browsing", ("browsing history", "浏览记录"), &[], &[("BrowsingBehavior", Broad)], ("Browsing History", "Web browsing: Web browsing history")),
    entry_of("bssid", ("address of a Wi-Fi access point", "Wi-Fi 接入点地址"), &[PreciseLocation], &[("MACAddress", Broad)], ("Location: Precise Location", "Location: Precise location")),
    entry_of("calendar", ("calendar", "日历"), &[], &[], ("User Content: Other User Content", "Calendar: Calendar events")),
    entry_of("card", ("bank card number", "银行卡号"), &[Financial], &[("PaymentCardNumber", Exact)], ("Financial Info: Payment Info", "Financial info: User payment info")),
    entry_of("chat", ("messages", "聊天内容"), &[], &[("Communication", Broad)], ("User Content: Emails or Text Messages", "Messages: Other in-app messages")),
    entry_of("contacts", ("address book", "通讯录"), &[], &[("ContactsList", Broad)], ("Contacts", "Contacts: Contacts")),
    entry_of("cookie", ("cookie", "Cookie"), &[DeviceIdentifier], &[("UID", Broad)], DEVICE),
    entry_of("coordinates", ("coordinates", "经纬度"), &[PreciseLocation], &[("GPSCoordinate", Exact)], ("Location: Precise Location", "Location: Precise location")),
    entry_of("device", ("what describes a device", "设备信息"), &[DeviceIdentifier], &[("DeviceBased", Broad)], DEVICE),
    entry_of("email", ("e-mail address", "电子邮箱"), &[Contact], &[("EmailAddress", Exact)], ("Contact Info: Email Address", "Personal info: Email address")),
    entry_of("face", ("face", "人脸"), &[Picture], &[("FacialPrint", Narrow)], ("Sensitive Info", "Photos and videos: Photos")),
    entry_of("gps", ("coordinates", "经纬度"), &[PreciseLocation], &[("GPSCoordinate", Exact)], ("Location: Precise Location", "Location: Precise location")),
    entry_of("health", ("health", "健康信息"), &[], &[("Health", Exact)], ("Health & Fitness: Health", "Health and fitness: Health info")),
    entry_of("iban", ("international bank account number", "国际银行账号"), &[Financial], &[("BankAccount", Exact)], ("Financial Info: Payment Info", "Financial info: User payment info")),
    entry_of("iccid", ("serial number of the SIM card", "SIM 卡序列号"), &[DeviceIdentifier], &[("UID", Broad)], DEVICE),
    entry_of("id", ("number of an identity document", "证件号码"), &[OfficialId], &[("OfficialID", Broad)], ("Sensitive Info", "Personal info: Other info")),
    entry_of("id.card.photo", ("photograph of an identity card", "身份证照片"), &[OfficialId, Picture], &[("OfficialID", Broad), ("Picture", Broad)], ("User Content: Photos or Videos", "Photos and videos: Photos")),
    entry_of("id.cn", ("Chinese resident identity number", "居民身份证号码"), &[OfficialId], &[("OfficialID", Broad)], ("Sensitive Info", "Personal info: Other info")),
    entry_of("idfa", ("Apple's advertising identifier", "苹果广告标识符"), &[DeviceIdentifier], &[("UID", Broad), ("DeviceBased", Broad)], DEVICE),
    entry_of("imei", ("IMEI", "IMEI"), &[DeviceIdentifier], &[("UID", Broad), ("DeviceBased", Broad)], DEVICE),
    entry_of("imeisv", ("IMEI with software version", "IMEISV"), &[DeviceIdentifier], &[("UID", Broad), ("DeviceBased", Broad)], DEVICE),
    entry_of("imsi", ("IMSI", "IMSI"), &[DeviceIdentifier], &[("UID", Broad)], DEVICE),
    entry_of("ip", ("IP address", "IP 地址"), &[], &[("IPAddress", Exact)], OTHER),
    entry_of("location", ("location", "位置"), &[PreciseLocation], &[("Location", Exact)], ("Location: Precise Location", "Location: Precise location")),
    entry_of("location.coarse", ("rough location", "粗略位置"), &[], &[("Location", Broad)], ("Location: Coarse Location", "Location: Approximate location")),
    entry_of("mac", ("MAC address", "MAC 地址"), &[DeviceIdentifier], &[("MACAddress", Exact)], DEVICE),
    entry_of("meid", ("MEID", "MEID"), &[DeviceIdentifier], &[("UID", Broad), ("DeviceBased", Broad)], DEVICE),
    entry_of("message", ("message", "消息内容"), &[], &[("Communication", Broad)], ("User Content: Emails or Text Messages", "Messages: Other in-app messages")),
    entry_of("mobile", ("telephone number", "手机号码"), &[Contact], &[("TelephoneNumber", Exact)], ("Contact Info: Phone Number", "Personal info: Phone number")),
    entry_of("msisdn", ("telephone number", "手机号码"), &[Contact], &[("TelephoneNumber", Exact)], ("Contact Info: Phone Number", "Personal info: Phone number")),
    entry_of("name", ("name", "姓名"), &[], &[("Name", Exact)], ("Contact Info: Name", "Personal info: Name")),
    entry_of("oaid", ("open anonymous device identifier", "OAID"), &[DeviceIdentifier], &[("UID", Broad), ("DeviceBased", Broad)], DEVICE),
    entry_of("pan", ("bank card number", "银行卡号"), &[Financial], &[("PaymentCardNumber", Exact)], ("Financial Info: Payment Info", "Financial info: User payment info")),
    entry_of("passport", ("passport number", "护照号码"), &[OfficialId], &[("Passport", Exact)], ("Sensitive Info", "Personal info: Other info")),
    entry_of("password", ("password", "密码"), &[Credential], &[("Password", Exact)], OTHER),
    entry_of("person", ("what describes a person", "个人描述"), &[], &[], ("Other Data", "Personal info: Other info")),
    entry_of("phone", ("telephone number", "手机号码"), &[Contact], &[("TelephoneNumber", Exact)], ("Contact Info: Phone Number", "Personal info: Phone number")),
    entry_of("photo", ("photograph", "照片"), &[Picture], &[("Picture", Exact)], ("User Content: Photos or Videos", "Photos and videos: Photos")),
    entry_of("photo.exif.gps", ("coordinates in a photograph", "照片中的位置"), &[PreciseLocation], &[("GPSCoordinate", Exact)], ("Location: Precise Location", "Location: Precise location")),
    entry_of("plate", ("number plate", "车牌号"), &[], &[("VehicleLicenseNumber", Broad)], ("Other Data", "Personal info: Other info")),
    entry_of("screenshot", ("picture of the screen", "屏幕截图"), &[Picture], &[("Picture", Broad)], ("User Content: Photos or Videos", "Photos and videos: Photos")),
    entry_of("screenshot.bank", ("picture of a bank's screen", "银行界面截图"), &[Picture, Financial], &[("Picture", Broad), ("FinancialAccount", Broad)], ("Financial Info: Other Financial Info", "Financial info: Other financial info")),
    entry_of("tel", ("telephone number", "电话号码"), &[Contact], &[("TelephoneNumber", Exact)], ("Contact Info: Phone Number", "Personal info: Phone number")),
    entry_of("wifi", ("what describes a Wi-Fi network", "Wi-Fi 信息"), &[], &[("DeviceBased", Broad)], OTHER),
    entry_of("wifi.bssid", ("address of a Wi-Fi access point", "Wi-Fi 接入点地址"), &[PreciseLocation], &[("MACAddress", Broad)], ("Location: Precise Location", "Location: Precise location")),
    entry_of("wifi.password", ("password of a Wi-Fi network", "Wi-Fi 密码"), &[Credential], &[("Password", Broad), ("Authenticating", Broad)], OTHER),
    entry_of("wifi.ssid", ("name of a Wi-Fi network", "Wi-Fi 名称"), &[], &[("DeviceBased", Broad), ("Location", Broad)], OTHER),
];

/// The line of a kind: its own, or that of the nearest name above it. What has none is not known to be personal.
pub fn entry(kind: &Kind) -> Option<&'static Entry> {
    let mut name = kind.as_str();
    loop {
        if let Ok(at) = TAXONOMY.binary_search_by(|entry| entry.kind.cmp(name)) {
            return TAXONOMY.get(at);
        }
        name = name.rsplit_once('.')?.0;
    }
}

/// `docs/taxonomy.md`.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for entry in TAXONOMY {
        let groups = entry.groups.iter().map(|group| format!("`{}`", group.name())).collect::<Vec<_>>().join(", ");
        let dpv = entry.dpv.iter().map(|(term, how)| format!("`pd:{term}` ({})", how.name()));
        let dpv = dpv.collect::<Vec<_>>().join(", ");
        let Entry { kind, en, zh, apple, google, .. } = entry;
        let _ = writeln!(page, "| `{kind}` | {en} | {zh} | {groups} | {dpv} | {apple} | {google} |");
    }
    page
}

const HEAD: &str = "# Kinds of data, and what others call them

Made from the code (`crates/judge/src/taxonomy.rs`). A kind covers everything below it: `wifi` covers `wifi.password`. A
kind that stands here, or lies below one, is *personal*: information about a person, their devices or their home. Other
kinds may be planted and searched for all the same; `personal` in a claim does not mean them.

Claims and rules may name, beside kinds: `personal`, `everything`, and the groups in the fourth column. Rules may name
`sensitive`: what that is, the rule pack says, by date, because laws and standards disagree and change.

* DPV: terms of the [Data Privacy Vocabulary 2.3](https://w3id.org/dpv/pd) below `https://w3id.org/dpv/pd#`. *exact*,
  *broad* and *narrow* are the mapping properties of SKOS: the term means the same, more, or less. DPV has no term for
  Wi-Fi credentials, IMEI or screenshots.
* Apple, Google: where the stores' forms would put it, in their words, as far as the kind alone tells; content decides
  otherwise (a photograph of a bank card). Check the form before holding anyone to it.

| Kind | What | 中文 | Groups | DPV | Apple | Google |
|---|---|---|---|---|---|---|
";

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Kind {
        text.parse().unwrap()
    }

    #[test]
    fn lines_are_well_formed_in_order_and_stand_once() {
        assert!(TAXONOMY.windows(2).all(|pair| pair[0].kind < pair[1].kind));
        assert!(TAXONOMY.iter().all(|entry| entry.kind.parse::<Kind>().is_ok()));
    }

    #[test]
    fn the_nearest_name_above_decides() {
        assert_eq!(entry(&kind("wifi.password.home")).unwrap().kind, "wifi.password");
        assert_eq!(entry(&kind("wifi.channel")).unwrap().kind, "wifi");
        assert!(entry(&kind("wifi-lock")).is_none());
    }

    #[test]
    fn groups_cover_their_kinds_and_not_their_neighbours() {
        assert!(Credential.covers(&kind("wifi.password")) && !Credential.covers(&kind("wifi.ssid")));
        assert!(PreciseLocation.covers(&kind("gps")) && !PreciseLocation.covers(&kind("location.coarse")));
        assert!(Group::ALL.iter().all(|group| Group::of(group.name()) == Some(*group)));
    }

    #[test]
    fn no_group_has_the_name_of_a_kind() {
        assert!(Group::ALL.iter().all(|group| entry(&kind(group.name())).is_none()));
    }
}
