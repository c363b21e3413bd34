//! Points, units, shapes and matches.

use alloc::vec::Vec;

use crate::command::{Arg, ArgSink, ArgSlot, Args, FromReply, elements, unexpected};
use crate::error::ConversionError;
use crate::resp::{Item, Kind};

/// A place on the earth, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeoPoint {
    /// East is positive; -180 to 180.
    pub longitude: f64,
    /// North is positive; servers take -85.05112878 to 85.05112878, which leaves the poles out.
    pub latitude: f64,
}

impl GeoPoint {
    /// Longitude first, as everywhere in Redis.
    #[must_use]
    pub const fn new(longitude: f64, latitude: f64) -> Self {
        Self { longitude, latitude }
    }
}

impl Args for GeoPoint {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.arg(self.longitude).arg(self.latitude);
    }
}

impl FromReply for GeoPoint {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        <(f64, f64)>::from_reply(item).map(|(longitude, latitude)| Self { longitude, latitude })
    }
}

/// A unit of length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GeoUnit {
    /// `m`
    Meters,
    /// `km`
    Kilometers,
    /// `ft`
    Feet,
    /// `mi`
    Miles,
}

impl Arg for GeoUnit {
    fn write_to(&self, out: ArgSlot<'_>) {
        out.bytes(match self {
            Self::Meters => b"m",
            Self::Kilometers => b"km",
            Self::Feet => b"ft",
            Self::Miles => b"mi",
        });
    }
}

/// The middle of a search.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum GeoCenter {
    /// The place of a member (`FROMMEMBER`). If it is not there, the search is an error.
    Member(Vec<u8>),
    /// Any place (`FROMLONLAT`).
    Point(GeoPoint),
}

impl GeoCenter {
    /// The place of a member.
    #[must_use]
    pub fn member(member: impl AsRef<[u8]>) -> Self {
        Self::Member(member.as_ref().to_vec())
    }
}

impl From<GeoPoint> for GeoCenter {
    fn from(point: GeoPoint) -> Self {
        Self::Point(point)
    }
}

impl Args for GeoCenter {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        match self {
            Self::Member(member) => out.arg("FROMMEMBER").arg(member),
            Self::Point(point) => out.arg("FROMLONLAT").args(point),
        };
    }
}

/// The area of a search, around its middle.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum GeoArea {
    /// A circle of this radius (`BYRADIUS`).
    Radius(f64, GeoUnit),
    /// A rectangle along the axes, of this width and height (`BYBOX`).
    Rectangle(f64, f64, GeoUnit),
}

impl Args for GeoArea {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        match self {
            Self::Radius(radius, unit) => out.arg("BYRADIUS").arg(radius).arg(unit),
            Self::Rectangle(width, height, unit) => out.arg("BYBOX").arg(width).arg(height).arg(unit),
        };
    }
}

/// A member that a search found, and what was asked for besides.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GeoMatch<T> {
    /// The member.
    pub member: T,
    /// How far it is from the middle, in the unit of the search.
    pub distance: Option<f64>,
    /// Its place, as the 52 bits of its score.
    pub hash: Option<u64>,
    /// Its place, which the server keeps to within 0.6 m.
    pub point: Option<GeoPoint>,
}

impl<T: FromReply> FromReply for GeoMatch<T> {
    /// A member alone, or an array of it and its details, which differ in kind.
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let alone = |member| Self { member, distance: None, hash: None, point: None };
        if item.kind() != Kind::Array {
            return T::from_reply(item).map(alone);
        }
        let mut parts = elements(item)?;
        let member = parts.next().ok_or_else(|| unexpected("a member", item))?;
        let mut found = T::from_reply(member).map(alone)?;
        for part in parts {
            match part.kind() {
                Kind::Integer => found.hash = Some(u64::from_reply(part)?),
                Kind::Array => found.point = Some(GeoPoint::from_reply(part)?),
                _ => found.distance = Some(f64::from_reply(part)?),
            }
        }
        Ok(found)
    }
}
