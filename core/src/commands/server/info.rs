//! The text of `INFO`, taken apart.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::str::FromStr;
use core::time::Duration;

use crate::command::{FromReply, expect_text};
use crate::error::ConversionError;
use crate::resp::Item;

/// What `INFO` says, by section.
///
/// The fields differ by version, build and configuration, so all of them are there by the server's names;
/// methods exist for those that every server has.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Info {
    /// The sections in the server's order.
    pub sections: Vec<InfoSection>,
}

/// A section of [`Info`].
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct InfoSection {
    /// Its name, such as `Server`.
    pub name: String,
    /// Its fields in the server's order. Some occur several times, such as `module`.
    pub fields: Vec<(String, String)>,
}

/// The keys of one database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Keyspace {
    /// How many keys it has.
    pub keys: u64,
    /// How many of them expire.
    pub expires: u64,
    /// How long those that expire have to live on average, estimated from samples.
    pub average_ttl: Duration,
    /// How many hashes have fields that expire; zero before Redis 7.4.
    pub subexpiry: u64,
}

impl Info {
    /// The section of this name, in any case.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<&InfoSection> {
        self.sections.iter().find(|section| section.name.eq_ignore_ascii_case(name))
    }

    /// The text of a field; of the first one, if it occurs several times.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&str> {
        self.sections.iter().find_map(|section| section.get(field))
    }

    /// The value of a field; `None` if it is missing or does not parse.
    #[must_use]
    pub fn parse<T: FromStr>(&self, field: &str) -> Option<T> {
        self.get(field)?.parse().ok()
    }

    /// The parts of a field that is a list of `name=value`, such as `slave0` or `cmdstat_get`.
    #[must_use]
    pub fn parts(&self, field: &str) -> Option<BTreeMap<&str, &str>> {
        self.get(field).map(|value| split(value).collect())
    }

    /// The server's version, such as `8.2.3`.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.get("redis_version")
    }

    /// `standalone`, `cluster` or `sentinel`.
    #[must_use]
    pub fn mode(&self) -> Option<&str> {
        self.get("redis_mode")
    }

    /// How long the server has been running, in whole seconds.
    #[must_use]
    pub fn uptime(&self) -> Option<Duration> {
        self.parse("uptime_in_seconds").map(Duration::from_secs)
    }

    /// How many clients are connected, replicas not counted.
    #[must_use]
    pub fn connected_clients(&self) -> Option<u64> {
        self.parse("connected_clients")
    }

    /// How many bytes the server has allocated.
    #[must_use]
    pub fn used_memory(&self) -> Option<u64> {
        self.parse("used_memory")
    }

    /// Whether the server takes writes, rather than following another one.
    #[must_use]
    pub fn is_primary(&self) -> Option<bool> {
        self.get("role").map(|role| role == "master")
    }

    /// Whether the server is still reading its data set.
    #[must_use]
    pub fn is_loading(&self) -> Option<bool> {
        self.get("loading").map(|flag| flag == "1")
    }

    /// The databases that have keys.
    #[must_use]
    pub fn keyspace(&self) -> BTreeMap<u32, Keyspace> {
        let fields = self.section("Keyspace").map_or(&[][..], |section| &section.fields);
        let databases = fields.iter().filter_map(|(name, value)| {
            let index = name.strip_prefix("db")?.parse().ok()?;
            Some((index, Keyspace::of(value)))
        });
        databases.collect()
    }
}

impl InfoSection {
    /// The text of a field; of the first one, if it occurs several times.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&str> {
        self.fields.iter().find(|(name, _)| name == field).map(|(_, value)| value.as_str())
    }
}

impl Keyspace {
    fn of(value: &str) -> Self {
        let parts: BTreeMap<&str, &str> = split(value).collect();
        let number = |name| parts.get(name).and_then(|value| value.parse().ok()).unwrap_or_default();
        Self {
            keys: number("keys"),
            expires: number("expires"),
            average_ttl: Duration::from_millis(number("avg_ttl")),
            subexpiry: number("subexpiry"),
        }
    }
}

/// The parts of `name=value,name=value`.
fn split(value: &str) -> impl Iterator<Item = (&str, &str)> {
    value.split(',').filter_map(|part| part.split_once('='))
}

impl FromReply for Info {
    /// Lines: `# Section`, `field:value`, empty.
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let bytes = expect_text("the text of INFO", item)?;
        Ok(Self::read(&String::from_utf8_lossy(&bytes)))
    }
}

impl Info {
    fn read(text: &str) -> Self {
        let mut sections: Vec<InfoSection> = Vec::new();
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("# ") {
                sections.push(InfoSection { name: name.to_owned(), fields: Vec::new() });
            } else if let Some((name, value)) = line.split_once(':') {
                if sections.is_empty() {
                    sections.push(InfoSection::default());
                }
                if let Some(section) = sections.last_mut() {
                    section.fields.push((name.to_owned(), value.to_owned()));
                }
            }
        }
        Self { sections }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Server\r\nredis_version:8.2.3\r\nuptime_in_seconds:5\r\n\r\n\
        # Modules\r\nmodule:name=a,ver=1\r\nmodule:name=b,ver=2\r\n\r\n\
        # Replication\r\nrole:slave\r\nslave0:ip=::1,port=7,state=online\r\n\r\n\
        # Keyspace\r\ndb0:keys=3,expires=2,avg_ttl=1500,subexpiry=1\r\ndb12:keys=1,expires=0,avg_ttl=0\r\n";

    #[test]
    fn sections_and_fields() {
        let info = Info::read(TEXT);
        assert_eq!(info.version(), Some("8.2.3"));
        assert_eq!(info.uptime(), Some(Duration::from_secs(5)));
        assert_eq!(info.is_primary(), Some(false));
        assert_eq!(info.section("modules").map(|section| section.fields.len()), Some(2));
        assert_eq!(info.parts("slave0").expect("a replica")["ip"], "::1");
        assert_eq!((info.mode(), info.used_memory()), (None, None));
    }

    #[test]
    fn databases() {
        let databases = Info::read(TEXT).keyspace();
        assert_eq!(databases.keys().copied().collect::<Vec<_>>(), [0, 12]);
        assert_eq!(
            databases[&0],
            Keyspace { keys: 3, expires: 2, average_ttl: Duration::from_millis(1500), subexpiry: 1 }
        );
        assert_eq!(databases[&12].subexpiry, 0);
    }

    #[test]
    fn what_is_no_info_has_no_section() {
        assert_eq!(Info::read(""), Info::default());
        assert_eq!(Info::read("plain").sections, []);
        assert_eq!(Info::read("a:1").get("a"), Some("1"));
    }
}
