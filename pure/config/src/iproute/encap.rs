//! `encap mpls LABELS`, `encap ip …`, `encap ip6 …`, `encap ila LOCATOR`.

use std::net::IpAddr;

use mainstay_base::Family;
use mainstay_plan::{Encap, Wrap};

use super::fields::{Fields, Wrong};

/// The most labels that the kernel puts onto a packet.
const LABELS_MAX: usize = 30;

/// What stands behind `encap`.
pub(super) fn encap(fields: &mut Fields<'_, '_>) -> Result<Encap, Wrong> {
    match fields.value()? {
        "mpls" => labels(fields),
        "ip" => wrap(Family::V4, fields),
        "ip6" => wrap(Family::V6, fields),
        "ila" => locator(fields),
        other => {
            let why = format!("`encap {other}` is not carried out: mpls, ip, ip6 and ila are");
            Err(fields.wrong(why))
        }
    }
}

fn labels(fields: &mut Fields<'_, '_>) -> Result<Encap, Wrong> {
    let text = fields.value()?;
    let label = |part: &str| part.parse().ok().filter(|label| *label < 1 << 20);
    let labels: Option<Vec<u32>> = text.split('/').map(label).collect();
    let labels = labels.filter(|labels| labels.len() <= LABELS_MAX);
    let wrong = || fields.wrong(format!("expected labels such as `100/200`, not `{text}`"));
    labels.map(Encap::Mpls).ok_or_else(wrong)
}

fn wrap(family: Family, fields: &mut Fields<'_, '_>) -> Result<Encap, Wrong> {
    let mut wrap = Wrap::of(family);
    let mut says_where = false;
    while let Some(word) = fields.peek() {
        match (word, family) {
            ("id" | "dst" | "src" | "flags", _)
            | ("tos" | "dsfield" | "ttl", Family::V4)
            | ("tc" | "hoplimit", Family::V6) => drop(fields.next()),
            _ => break,
        }
        says_where |= matches!(word, "id" | "dst");
        match word {
            "id" => wrap.id = fields.parsed("a number")?,
            "dst" => wrap.destination = Some(end(family, fields)?),
            "src" => wrap.source = Some(end(family, fields)?),
            "flags" => wrap.flags = fields.parsed("a number to 65535")?,
            "tos" | "dsfield" | "tc" => wrap.class = fields.byte()?,
            _ => wrap.hops = fields.byte()?,
        }
    }
    if says_where {
        return Ok(Encap::Ip(wrap));
    }
    Err(fields.wrong("a tunnel needs `dst ADDRESS` or `id N`"))
}

/// An end of the tunnel, whose family is its own.
fn end(family: Family, fields: &mut Fields<'_, '_>) -> Result<IpAddr, Wrong> {
    let ip: IpAddr = fields.parsed("an address")?;
    let fits = Family::of(ip) == family;
    fits.then_some(ip)
        .ok_or_else(|| fields.wrong(format!("a tunnel of {family} needs an address of it")))
}

fn locator(fields: &mut Fields<'_, '_>) -> Result<Encap, Wrong> {
    let text = fields.value()?;
    let parts: Option<Vec<u16>> =
        text.split(':').map(|part| u16::from_str_radix(part, 16).ok()).collect();
    match parts.as_deref() {
        Some(&[a, b, c, d]) => {
            let parts = [a, b, c, d].into_iter();
            Ok(Encap::Ila(parts.fold(0, |sum, part| sum << 16 | u64::from(part))))
        }
        Some(_) | None => {
            Err(fields.wrong(format!("expected a locator such as `1:2:3:4`, not `{text}`")))
        }
    }
}
