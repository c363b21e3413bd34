//! Key slots: which of a cluster's 16,384 parts a key belongs to.
//!
//! <https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/>

use memchr::memchr;

/// How many slots a cluster has.
pub const SLOTS: u16 = 16_384;

/// The slot of `key`: that of its hash tag, the text between the first `{` and the next `}`, if it has
/// one that is not empty; else that of the whole key.
#[must_use]
pub fn of(key: &[u8]) -> u16 {
    crc16(hash_tag(key).unwrap_or(key)) % SLOTS
}

fn hash_tag(key: &[u8]) -> Option<&[u8]> {
    let after = key.get(memchr(b'{', key)? + 1..)?;
    let end = memchr(b'}', after)?;
    (end > 0).then(|| &after[..end])
}

/// CRC-16/XMODEM: polynomial 0x1021, initial value 0, nothing reflected. Four bytes at a time, since each step waits for
/// the one before.
fn crc16(bytes: &[u8]) -> u16 {
    let [one, two, three, four] = &TABLES;
    let at = |table: &[u16; 256], byte: u8| table[usize::from(byte)];
    let (words, rest) = bytes.as_chunks();
    let crc = words.iter().fold(0_u16, |crc, &[a, b, c, d]| {
        let [high, low] = crc.to_be_bytes();
        at(four, high ^ a) ^ at(three, low ^ b) ^ at(two, c) ^ at(one, d)
    });
    rest.iter().fold(crc, |crc, &byte| crc << 8 ^ at(one, (crc >> 8) as u8 ^ byte))
}

/// What a byte adds, and what it adds when one, two or three further bytes have come since.
const TABLES: [[u16; 256]; 4] = {
    let mut tables = [[0; 256]; 4];
    let mut index = 0;
    while index < 256 {
        let mut crc = (index as u16) << 8;
        let mut step = 0;
        while step < tables.len() {
            let mut bit = 0;
            while bit < 8 {
                crc = if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 };
                bit += 1;
            }
            tables[step][index] = crc;
            step += 1;
        }
        index += 1;
    }
    tables
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_value_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
    }

    #[test]
    fn four_bytes_at_a_time_are_as_one_by_one() {
        let by_bits = |bytes: &[u8]| {
            bytes.iter().fold(0_u16, |crc, &byte| {
                (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| {
                    if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 }
                })
            })
        };
        let bytes: alloc::vec::Vec<u8> = (0..=255_u8).map(|byte| byte.wrapping_mul(167)).collect();
        for (start, end) in (0..9).flat_map(|start| (start..64).map(move |end| (start, end))) {
            assert_eq!(crc16(&bytes[start..end]), by_bits(&bytes[start..end]), "{start}..{end}");
        }
        assert_eq!(crc16(&bytes), by_bits(&bytes));
    }

    #[test]
    fn hash_tags() {
        let table: [(&[u8], Option<&[u8]>); 8] = [
            (b"plain", None),
            (b"{user1000}.following", Some(b"user1000")),
            (b"foo{}{bar}", None),
            (b"foo{{bar}}zap", Some(b"{bar")),
            (b"foo{bar}{zap}", Some(b"bar")),
            (b"{", None),
            (b"}{a", None),
            (b"", None),
        ];
        for (key, tag) in table {
            assert_eq!(hash_tag(key), tag, "{}", key.escape_ascii());
        }
    }

    #[test]
    fn slots_as_the_server_computes_them() {
        // From CLUSTER KEYSLOT of Redis 7.0.15.
        for (key, slot) in [("foo", 12_182), ("bar", 5_061), ("hello", 866), ("{user1000}.x", 3_443), ("", 0)]
        {
            assert_eq!(of(key.as_bytes()), slot, "{key:?}");
        }
    }
}
