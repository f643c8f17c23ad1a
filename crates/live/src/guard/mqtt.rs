//! Where packets of MQTT end (MQTT 5.0 section 2.1).

/// Whether a stream begins like a client of MQTT: a CONNECT packet with the protocol's name. `None` where there are
/// not bytes enough to say.
pub(super) fn may_begin(bytes: &[u8]) -> Option<bool> {
    let (first, rest) = bytes.split_first()?;
    if *first != 0x10 {
        return Some(false);
    }
    let size = rest.iter().take(4).position(|byte| byte & 0x80 == 0);
    let Some(size) = size else { return (rest.len() >= 4).then_some(false) };
    let name = rest.get(size + 1..).unwrap_or_default();
    let names: [&[u8]; 2] = [b"\0\x04MQTT", b"\0\x06MQIsdp"];
    if names.iter().any(|known| name.starts_with(known)) {
        return Some(true);
    }
    if names.iter().any(|known| known.starts_with(name)) { None } else { Some(false) }
}

/// The length of the packet that begins here; `None` where there are not bytes enough to say.
///
/// # Errors
/// Where it is no packet.
pub(super) fn length(bytes: &[u8]) -> Result<Option<usize>, &'static str> {
    let digits = bytes.get(1..).unwrap_or_default();
    let Some(last) = digits.iter().take(4).position(|byte| byte & 0x80 == 0) else {
        return if digits.len() < 4 { Ok(None) } else { Err("a packet of MQTT has no length") };
    };
    let content = digits.iter().take(last + 1).rev().fold(0, |number, byte| number << 7 | usize::from(byte & 0x7f));
    Ok(Some(last + 2 + content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_seven_bits_a_byte_the_lowest_first() {
        assert_eq!(length(&[0x30, 0]), Ok(Some(2)));
        assert_eq!(length(&[0x30, 0xc1, 0x02]), Ok(Some(3 + 321)));
        assert_eq!(length(&[0x30, 0xff, 0xff, 0xff, 0x7f]), Ok(Some(5 + 268_435_455)));
        assert_eq!((length(&[]), length(&[0x30]), length(&[0x30, 0x80])), (Ok(None), Ok(None), Ok(None)));
        assert!(length(&[0x30, 0x80, 0x80, 0x80, 0x80]).is_err());
    }

    #[test]
    fn a_client_begins_with_its_protocols_name() {
        assert_eq!(may_begin(b"\x10\x0c\0\x04MQTT\x04"), Some(true));
        assert_eq!(may_begin(b"\x10\x80\x01\0\x06MQIsdp"), Some(true));
        assert_eq!((may_begin(b""), may_begin(b"\x10"), may_begin(b"\x10\x0c\0\x04MQ")), (None, None, None));
        assert_eq!((may_begin(b"HELO"), may_begin(b"\x10\x0c\0\x04HTTP")), (Some(false), Some(false)));
        assert_eq!(may_begin(b"\x10\xff\xff\xff\xff"), Some(false));
    }
}
