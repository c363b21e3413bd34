//! Addresses as the nodes know them, and as the client does.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::fmt;

use super::Endpoint;

/// Turns the endpoint that nodes give for one of them into the one to connect to, where the two differ:
/// behind NAT, a proxy, or the ports of containers.
///
/// The endpoints that are given to a client are not turned, only those that nodes and sentinels tell it.
/// Two maps are equal if one is a clone of the other.
///
/// ```
/// use redstart_core::config::{AddressMap, ClusterOptions, Config, Endpoint};
///
/// let seed = Endpoint::tcp("localhost", 17_000);
/// let map = AddressMap::new(|told| match told {
///     Endpoint::Tcp { port, .. } => Endpoint::tcp("localhost", port + 10_000),
///     other => other.clone(),
/// });
/// assert_eq!(map.map(&Endpoint::tcp("172.17.0.2", 7000)), seed);
/// let config = Config::default().deployment(ClusterOptions::new([seed]).address_map(map));
/// # assert_eq!(config.validate(), Ok(()));
/// ```
#[derive(Clone)]
pub struct AddressMap(Arc<dyn Fn(&Endpoint) -> Endpoint + Send + Sync>);

impl AddressMap {
    /// Calls `map` each time that a node is told of. It should be quick and give the same for the same.
    #[must_use]
    pub fn new(map: impl Fn(&Endpoint) -> Endpoint + Send + Sync + 'static) -> Self {
        Self(Arc::new(map))
    }

    /// Where to connect for a node that is said to be at `told`.
    #[must_use]
    pub fn map(&self, told: &Endpoint) -> Endpoint {
        (self.0)(told)
    }
}

/// A table of endpoints: as told, and where to connect. Those that are not in it stay as they are.
impl FromIterator<(Endpoint, Endpoint)> for AddressMap {
    fn from_iter<T: IntoIterator<Item = (Endpoint, Endpoint)>>(table: T) -> Self {
        let table: BTreeMap<Endpoint, Endpoint> = table.into_iter().collect();
        Self::new(move |told| table.get(told).unwrap_or(told).clone())
    }
}

impl<const N: usize> From<[(Endpoint, Endpoint); N]> for AddressMap {
    fn from(table: [(Endpoint, Endpoint); N]) -> Self {
        table.into_iter().collect()
    }
}

impl PartialEq for AddressMap {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::addr_eq(Arc::as_ptr(&self.0), Arc::as_ptr(&other.0))
    }
}

impl fmt::Debug for AddressMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AddressMap(..)")
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn a_table_leaves_others_alone() {
        let at = |host: &str, port| Endpoint::tcp(host, port);
        let map = AddressMap::from([(at("10.0.0.1", 1), at("a", 11)), (at("10.0.0.2", 1), at("b", 12))]);
        let table = [
            (at("10.0.0.1", 1), at("a", 11)),
            (at("10.0.0.2", 1), at("b", 12)),
            (at("10.0.0.2", 2), at("10.0.0.2", 2)),
            (at("a", 11), at("a", 11)),
        ];
        for (told, expected) in table {
            assert_eq!(map.map(&told), expected, "{told}");
        }
    }

    #[test]
    fn equal_if_it_is_the_same_one() {
        let [one, other] = [(); 2].map(|()| AddressMap::new(Endpoint::clone));
        assert_eq!(one, one.clone());
        assert_ne!(one, other, "though both do the same");
        assert_eq!(format!("{one:?}"), "AddressMap(..)");
    }
}
