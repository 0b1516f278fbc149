//! The devices that are registered: from where, and when each last said something. One that misses three keepalives is
//! forgotten and has to register anew; so there are never more than live.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Devices at most.
const MOST: usize = 262_144;
/// Keepalives that may be missed.
const MISSES: u64 = 3;

struct Device {
    peer: IpAddr,
    heard_ms: u64,
}

/// The register.
pub(super) struct Devices {
    silent_ms: u64,
    live: Mutex<HashMap<String, Device>>,
}

impl Devices {
    pub(super) fn new(keepalive_ms: u64) -> Devices {
        Devices { silent_ms: MISSES * keepalive_ms, live: Mutex::default() }
    }

    /// Takes a device in, also one that is known; false when there is no place.
    pub(super) fn register(&self, id: &str, peer: IpAddr, now_ms: u64) -> bool {
        let mut live = self.lock();
        if live.len() >= MOST && !live.contains_key(id) {
            self.forget(&mut live, now_ms);
        }
        let has_place = live.len() < MOST || live.contains_key(id);
        if has_place {
            live.insert(id.to_owned(), Device { peer, heard_ms: now_ms });
        }
        has_place
    }

    /// Whether a device is registered from there; then it has said by this that it lives.
    pub(super) fn hear(&self, id: &str, peer: IpAddr, now_ms: u64) -> bool {
        let mut live = self.lock();
        let known = live.get_mut(id).filter(|d| d.peer == peer && now_ms.saturating_sub(d.heard_ms) <= self.silent_ms);
        known.map(|device| device.heard_ms = now_ms).is_some()
    }

    /// A device signs off.
    pub(super) fn leave(&self, id: &str) {
        self.lock().remove(id);
    }

    /// How many live.
    pub(super) fn online(&self, now_ms: u64) -> usize {
        let mut live = self.lock();
        self.forget(&mut live, now_ms);
        live.len()
    }

    fn forget(&self, live: &mut HashMap<String, Device>, now_ms: u64) {
        live.retain(|_, device| now_ms.saturating_sub(device.heard_ms) <= self.silent_ms);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Device>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);

    #[test]
    fn a_device_is_online_until_it_misses_three_keepalives() {
        let devices = Devices::new(30_000);
        assert!(!devices.hear("a", HERE, 0));
        assert!(devices.register("a", HERE, 0) && devices.register("b", HERE, 0));
        assert!(!devices.hear("a", THERE, 1), "it registered from elsewhere");
        assert!(devices.hear("a", HERE, 90_000));
        assert_eq!(devices.online(90_000), 2);
        assert!(!devices.hear("b", HERE, 90_001));
        assert_eq!(devices.online(90_001), 1);
        devices.leave("a");
        assert_eq!((devices.online(90_001), devices.hear("a", HERE, 90_001)), (0, false));
    }

    #[test]
    fn there_are_never_more_than_the_register_holds() {
        let devices = Devices::new(1);
        for n in 0..MOST {
            assert!(devices.register(&n.to_string(), HERE, 0));
        }
        assert!(!devices.register("one more", HERE, 3) && devices.register("0", HERE, 3));
        assert!(devices.register("one more", HERE, 5), "those that are silent make place");
        assert_eq!(devices.online(5), 2);
    }
}
