//! Lengths of time as text: `1s`, `250ms`.

use std::time::Duration;

const UNITS: [(&str, u64); 6] = [
    ("us", 1),
    ("ms", 1_000),
    ("s", 1_000_000),
    ("min", 60_000_000),
    ("m", 60_000_000),
    ("h", 3_600_000_000),
];

/// Reads a number, whole or decimal, with its unit; microseconds are the finest.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let unit_from = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = (&text[..unit_from], text[unit_from..].trim());
    let (_, factor) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let whole: u64 = whole.parse().ok()?;
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let scale = 10u64.pow(u32::try_from(fraction.len()).ok()?);
    let part = u128::from(fraction.parse::<u64>().ok()?) * u128::from(factor);
    if part % u128::from(scale) != 0 {
        return None;
    }
    let part = u64::try_from(part / u128::from(scale)).ok()?;
    Some(Duration::from_micros(whole.checked_mul(factor)?.checked_add(part)?))
}

/// Writes it in the largest unit of which it is a whole number.
pub(super) fn write(length: Duration) -> String {
    let micros = length.as_micros();
    match micros {
        0 => "0s".to_owned(),
        _ if micros.is_multiple_of(1_000_000) => format!("{}s", micros / 1_000_000),
        _ if micros.is_multiple_of(1_000) => format!("{}ms", micros / 1_000),
        _ => format!("{micros}us"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_length_agree() {
        for (text, micros) in [("1s", 1_000_000), ("250ms", 250_000), ("7us", 7), ("0s", 0)] {
            let length = Duration::from_micros(micros);
            assert_eq!(parse(text), Some(length), "{text}");
            assert_eq!(write(length), text);
        }
        assert_eq!(parse("1.5s"), Some(Duration::from_millis(1500)));
        assert_eq!(parse("2 min"), Some(Duration::from_secs(120)));
        for bad in [
            "",
            "1",
            "s",
            "-1s",
            "1.s",
            "1.2.3s",
            "0.0000001s",
            "99999999999999999999s",
            "1d",
            "18446744073709551615h",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
