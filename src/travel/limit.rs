//! How often somebody may ask, by address or by name: a bucket of tokens for each, in a table that cannot grow. Pure: it is
//! told the time.
//!
//! The generic cell rate algorithm (ITU-T I.371): of a bucket nothing is kept but when it will be full again. One that is
//! full is the same as none, so that those not heard of for a minute are forgotten without a change.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

/// A bucket is full after so long, ms.
const FILL_MS: u64 = 60_000;
/// Those of whom a minute keeps account; those beyond share one bucket.
const MOST: usize = 16_384;

/// The buckets of those who are told apart by `K`.
pub struct Limit<K = Network> {
    per_minute: u64,
    /// When each will be full, 1/1000 ms: those heard of in this minute, and those of the minute before.
    full_us: [HashMap<Option<K>, u64>; 2],
    turned_ms: u64,
}

/// Whose bucket it is, of those who are told apart by their addresses: an address of IPv4, or the /64 that one gets of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl<K: Clone + Eq + Hash> Limit<K> {
    /// So many requests a minute for each; so many at once, too.
    pub fn new(per_minute: u32) -> Limit<K> {
        Limit { per_minute: u64::from(per_minute.max(1)), full_us: Default::default(), turned_ms: 0 }
    }

    /// Takes a token of somebody's; if there is none, after how many seconds there is one.
    pub fn take(&mut self, who: impl Into<K>, now_ms: u64) -> Result<(), u64> {
        if now_ms >= self.turned_ms + FILL_MS {
            self.full_us.swap(0, 1);
            self.full_us[0].clear();
            self.turned_ms = now_ms;
        }
        let who = who.into();
        let known = |key: &Option<K>| self.full_us.iter().find_map(|table| table.get(key)).copied();
        let kept = self.full_us[0].len();
        // Those of the minute before go before new ones, but they have no room without end either.
        let key = Some(who);
        let has_room = kept < MOST || (kept < 2 * MOST && known(&key).is_some()) || self.full_us[0].contains_key(&key);
        let key = key.filter(|_| has_room);
        let (now_us, token_us) = (now_ms * 1000, FILL_MS * 1000 / self.per_minute);
        let full_us = known(&key).unwrap_or(0).max(now_us) + token_us;
        let late_us = full_us.saturating_sub(now_us + FILL_MS * 1000);
        if late_us > 0 {
            return Err(late_us.div_ceil(1_000_000));
        }
        self.full_us[0].insert(key, full_us);
        Ok(())
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Network {
        Network(match address.to_canonical() {
            IpAddr::V4(address) => address.into(),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(0x0A00_0000 + last).into()
    }

    fn taken(limit: &mut Limit<Network>, from: IpAddr, now_ms: u64, tries: usize) -> usize {
        (0..tries).filter(|_| limit.take(from, now_ms).is_ok()).count()
    }

    #[test]
    fn a_minute_s_tokens_at_once_and_then_one_after_another() {
        let mut limit = Limit::<Network>::new(60);
        assert_eq!(taken(&mut limit, address(1), 5_000, 100), 60);
        assert_eq!(limit.take(address(1), 5_000), Err(1));
        assert_eq!(taken(&mut limit, address(1), 8_000, 100), 3);
        assert_eq!(taken(&mut limit, address(2), 8_000, 100), 60, "another's are another's");
        assert_eq!(
            taken(&mut limit, address(1), 70_000, 100),
            60,
            "full again after a minute, over two turns of the table"
        );
    }

    #[test]
    fn who_waits_as_long_as_told_is_let_in() {
        let mut limit = Limit::<Network>::new(2);
        assert_eq!(taken(&mut limit, address(1), 0, 9), 2);
        assert_eq!(limit.take(address(1), 0), Err(30));
        assert_eq!(limit.take(address(1), 30_000), Ok(()));
        assert_eq!(limit.take(address(1), 30_000), Err(30));
    }

    #[test]
    fn a_flood_from_many_addresses_shares_one_bucket_when_the_table_is_full() {
        let mut limit = Limit::<Network>::new(10);
        let all = 3 * MOST as u32;
        let let_in = (0..all).filter(|n| limit.take(address(*n), 1_000).is_ok()).count();
        assert_eq!(let_in, MOST + 10);
        assert!(limit.full_us.iter().map(HashMap::len).sum::<usize>() <= 2 * (MOST + 1));
        assert_eq!(taken(&mut limit, address(0), 1_000, 20), 9, "who was known keeps a bucket");
    }

    #[test]
    fn one_house_of_ipv6_has_one_bucket() {
        let mut limit = Limit::<Network>::new(3);
        let from = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(taken(&mut limit, from("2001:db8::1"), 0, 2), 2);
        assert_eq!(taken(&mut limit, from("2001:db8::2"), 0, 2), 1);
        assert_eq!(taken(&mut limit, from("2001:db8:0:1::2"), 0, 2), 2);
        assert_eq!(taken(&mut limit, from("::ffff:10.0.0.1"), 0, 2) + taken(&mut limit, from("10.0.0.1"), 0, 2), 3);
    }

    #[test]
    fn the_table_does_not_grow_when_the_old_come_after_the_new() {
        let (mut limit, mut addresses) = (Limit::<Network>::new(60), 0..0u32);
        for minute in 1..6 {
            let new = addresses.end..addresses.end + MOST as u32;
            addresses.end = new.end;
            for last in new.chain(addresses.clone()) {
                let _ = limit.take(address(last), minute * FILL_MS);
            }
            assert!(limit.full_us.iter().all(|table| table.len() <= 2 * MOST + 1), "minute {minute}");
        }
    }
}
