//! What the kernel passes on, as a program of its classic filter language.
//!
//! ```text
//! ARP    | Ethernet: 14 | kinds: 4 | lengths: 2 | operation: 2 | sender's MAC: 6 | sender's IP: 4 | target … |
//! IPv6   | Ethernet: 14 | version …: 6 | next | hop limit | source: 16 | destination: 16 |
//! ICMPv6 | 136 | code | checksum: 2 | flags: 4 | target: 16 | options … |
//! ```

use std::collections::BTreeSet;
use std::net::IpAddr;

use libc::sock_filter;
use mainstay_base::Family;

/// The longest program that the kernel takes.
const LONGEST: usize = 4096;
const WHOLE_FRAME: u32 = 0xffff;

const LOAD_WORD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
const LOAD_HALF: u32 = libc::BPF_LD | libc::BPF_H | libc::BPF_ABS;
const LOAD_BYTE: u32 = libc::BPF_LD | libc::BPF_B | libc::BPF_ABS;
const IF_EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
const RETURN: u32 = libc::BPF_RET | libc::BPF_K;

/// Accepts frames that say who has one of these addresses. Of IPv6 addresses it compares the last word; the
/// reader compares the rest.
pub(super) fn of(family: Family, addresses: &BTreeSet<IpAddr>) -> Vec<sock_filter> {
    let words: BTreeSet<u32> = addresses.iter().map(last_word).collect();
    let mut program = kind(family);
    if program.len() + 2 * words.len() + 2 > LONGEST {
        return of_any(family);
    }
    let address_at = match family {
        Family::V4 => 28,
        Family::V6 => 74,
    };
    program.push(statement(LOAD_WORD, address_at));
    for word in words {
        program.push(skip_unless_equal(word));
        program.push(statement(RETURN, WHOLE_FRAME));
    }
    program.push(statement(RETURN, 0));
    program
}

/// Accepts frames that say who has any address.
pub(super) fn of_any(family: Family) -> Vec<sock_filter> {
    let mut program = kind(family);
    program.push(statement(RETURN, WHOLE_FRAME));
    program
}

/// Goes on for frames of the kind alone.
fn kind(family: Family) -> Vec<sock_filter> {
    // Ethernet and IPv4, addresses of 6 and 4 bytes; or ICMPv6, from this link, a neighbour advertisement.
    let checks: &[(u32, u32, u32)] = match family {
        Family::V4 => &[(LOAD_WORD, 14, 0x0001_0800), (LOAD_HALF, 18, 0x0604)],
        Family::V6 => &[(LOAD_BYTE, 20, 58), (LOAD_BYTE, 54, 136), (LOAD_BYTE, 21, 255)],
    };
    let mut program = Vec::new();
    for &(load, at, wanted) in checks {
        program.push(statement(load, at));
        program.push(sock_filter { jt: 1, jf: 0, ..statement(IF_EQUAL, wanted) });
        program.push(statement(RETURN, 0));
    }
    program
}

fn skip_unless_equal(word: u32) -> sock_filter {
    sock_filter { jt: 0, jf: 1, ..statement(IF_EQUAL, word) }
}

fn statement(code: u32, k: u32) -> sock_filter {
    let code = u16::try_from(code).expect("codes have 16 bits");
    sock_filter { code, jt: 0, jf: 0, k }
}

fn last_word(address: &IpAddr) -> u32 {
    match address {
        IpAddr::V4(address) => address.to_bits(),
        IpAddr::V6(address) => {
            let [.., a, b, c, d] = address.octets();
            u32::from_be_bytes([a, b, c, d])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_never_exceeds_what_the_kernel_takes() {
        for count in [0u32, 1, 255, 2000, 2044, 2045, 5000] {
            let addresses: BTreeSet<IpAddr> =
                (0..count).map(|n| IpAddr::from(std::net::Ipv4Addr::from_bits(n))).collect();
            let program = of(Family::V4, &addresses);
            assert!(program.len() <= LONGEST, "{count}");
            let returns = |one: &&sock_filter| u32::from(one.code) == RETURN && one.k > 0;
            let accepting = program.iter().filter(returns).count();
            let expected = if count > 2044 { 1 } else { usize::try_from(count).expect("small") };
            assert_eq!(accepting, expected, "{count}");
        }
    }
}
