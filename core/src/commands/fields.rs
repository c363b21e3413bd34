//! Records that servers write as texts: names with values, all of them optional.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use core::str::FromStr;

/// The fields of a record that have not been taken yet.
pub(super) struct Fields(BTreeMap<String, String>);

impl Fields {
    pub(super) const fn new(fields: BTreeMap<String, String>) -> Self {
        Self(fields)
    }

    /// Splits a line of `name=value` at blanks. A part without `=` goes on with the value before it: paths can
    /// hold blanks.
    pub(super) fn of_line(line: &str) -> Self {
        let mut fields = BTreeMap::new();
        let mut last: Option<&str> = None;
        for part in line.split(' ') {
            match (part.split_once('='), last.and_then(|name| fields.get_mut(name))) {
                (Some((name, value)), _) => {
                    fields.insert(name.to_owned(), value.to_owned());
                    last = Some(name);
                }
                (None, Some(value)) => {
                    let value: &mut String = value;
                    value.push(' ');
                    value.push_str(part);
                }
                (None, None) => {}
            }
        }
        Self(fields)
    }

    /// A text that is not empty.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.0.remove(name).filter(|value| !value.is_empty())
    }

    /// A number if the field is there; the outer `None` if it is something else.
    pub(super) fn optional<T: FromStr>(&mut self, name: &str) -> Option<Option<T>> {
        self.0.remove(name).map_or(Some(None), |value| value.parse().ok().map(Some))
    }

    /// A number, zero if the field is missing; `None` if it is something else.
    pub(super) fn number<T: FromStr + Default>(&mut self, name: &str) -> Option<T> {
        self.optional(name).map(Option::unwrap_or_default)
    }

    /// Takes what was not taken yet.
    pub(super) fn rest(&mut self) -> BTreeMap<String, String> {
        core::mem::take(&mut self.0)
    }
}
