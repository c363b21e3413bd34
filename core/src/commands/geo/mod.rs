//! Places: sorted sets whose scores are points on the earth.
//!
//! Members are removed with [`zrem`](super::SortedSetCommands::zrem), as from any sorted set.
//!
//! ```
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::{GeoArea, GeoCommands, GeoDetails, GeoPoint, GeoSearchOptions, GeoUnit};
//!
//! let add = p.geoadd("sicily", [(13.361389, 38.115556, "Palermo"), (15.087269, 37.502669, "Catania")]);
//! let center = GeoPoint::new(15.0, 37.0);
//! let area = GeoArea::Radius(200.0, GeoUnit::Kilometers);
//! let nearest = GeoSearchOptions::new().nearest_first().count(1);
//! let names = p.geosearch::<String>("sicily", center, area, nearest);
//! let details = GeoDetails::new().distance();
//! let found = p.geosearch_with_details::<String>("sicily", center, area, details, nearest);
//! assert_eq!(found.packed().argc(), 12);
//! ```

mod options;
mod types;

use alloc::string::String;
use alloc::vec::Vec;

pub use options::{GeoDetails, GeoScore, GeoSearchOptions, GeoaddOptions};
pub use types::{GeoArea, GeoCenter, GeoMatch, GeoPoint, GeoUnit};

use crate::command::{Arg, Args, Command, FromReply, Run};

/// Commands on places. <https://redis.io/docs/latest/commands/?group=geo>
pub trait GeoCommands: Run {
    /// Adds members, each with longitude and latitude before it, or moves them; returns how many are new.
    ///
    /// `GEOADD key longitude latitude member [longitude latitude member ...]` · 3.2.0 · O(log n) each
    fn geoadd(self, key: impl Arg, members: impl Args) -> Self::Output<u64> {
        self.run(Command::new("GEOADD").key(key).args(members))
    }

    /// Adds members or moves them as `options` say; returns how many are new, or moved.
    ///
    /// `GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]` · 6.2.0 ·
    /// O(log n) each
    fn geoadd_with(self, key: impl Arg, members: impl Args, options: GeoaddOptions) -> Self::Output<u64> {
        self.run(Command::new("GEOADD").key(key).args(options).args(members))
    }

    /// Returns how far two members are apart, or `None` if one is not there.
    ///
    /// The earth counts as a sphere, which is wrong by up to 0.5 %.
    ///
    /// `GEODIST key member1 member2 [M | KM | FT | MI]` · 3.2.0 · O(1)
    fn geodist(
        self,
        key: impl Arg,
        member1: impl Arg,
        member2: impl Arg,
        unit: GeoUnit,
    ) -> Self::Output<Option<f64>> {
        self.run(Command::new("GEODIST").key(key).arg(member1).arg(member2).arg(unit).cacheable())
    }

    /// Returns the places of `members` as geohashes of 11 characters, `None` for each that is not there.
    ///
    /// `GEOHASH key [member [member ...]]` · 3.2.0 · O(1) each
    fn geohash(self, key: impl Arg, members: impl Args) -> Self::Output<Vec<Option<String>>> {
        self.run(Command::new("GEOHASH").key(key).args(members).cacheable())
    }

    /// Returns the places of `members`, `None` for each that is not there.
    ///
    /// They are near what was added, not equal to it.
    ///
    /// `GEOPOS key [member [member ...]]` · 3.2.0 · O(1) each
    fn geopos(self, key: impl Arg, members: impl Args) -> Self::Output<Vec<Option<GeoPoint>>> {
        self.run(Command::new("GEOPOS").key(key).args(members).cacheable())
    }

    /// Returns the members within an area.
    ///
    /// `GEOSEARCH key <FROMMEMBER member | FROMLONLAT longitude latitude> <BYRADIUS radius unit | BYBOX width
    /// height unit> [ASC | DESC] [COUNT count [ANY]]` · 6.2.0 · O(n + log m), n members around, m within
    fn geosearch<T: FromReply>(
        self,
        key: impl Arg,
        center: impl Into<GeoCenter>,
        area: GeoArea,
        options: GeoSearchOptions,
    ) -> Self::Output<Vec<T>> {
        self.run(Command::new("GEOSEARCH").key(key).args(center.into()).args(area).args(options).cacheable())
    }

    /// Returns the members within an area, with `details` of each.
    ///
    /// `GEOSEARCH key <FROMMEMBER ..> <BYRADIUS ..> [ASC | DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST]
    /// [WITHHASH]` · 6.2.0 · O(n + log m), n members around, m within
    fn geosearch_with_details<T: FromReply>(
        self,
        key: impl Arg,
        center: impl Into<GeoCenter>,
        area: GeoArea,
        details: GeoDetails,
        options: GeoSearchOptions,
    ) -> Self::Output<Vec<GeoMatch<T>>> {
        let command = Command::new("GEOSEARCH").key(key).args(center.into()).args(area);
        self.run(command.args(options).args(details).cacheable())
    }

    /// Writes the members of `source` within an area to `destination`; returns how many. What was there is
    /// replaced, by nothing if there is no member.
    ///
    /// `GEOSEARCHSTORE destination source <FROMMEMBER ..> <BYRADIUS ..> [ASC | DESC] [COUNT count [ANY]]
    /// [STOREDIST]` · 6.2.0 · O(n + log m), n members around, m within
    fn geosearchstore(
        self,
        destination: impl Arg,
        source: impl Arg,
        center: impl Into<GeoCenter>,
        area: GeoArea,
        score: GeoScore,
        options: GeoSearchOptions,
    ) -> Self::Output<u64> {
        let command = Command::new("GEOSEARCHSTORE").key(destination).key(source);
        let command = command.args(center.into()).args(area).args(options);
        self.run(command.arg_if(score == GeoScore::Distance, "STOREDIST"))
    }

    /// Returns the members within a radius around a place, with `details` of each.
    ///
    /// Deprecated: [`geosearch_with_details`](Self::geosearch_with_details) runs on a replica too, as does
    /// [`georadius_ro`](Self::georadius_ro).
    ///
    /// `GEORADIUS key longitude latitude radius unit [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]]
    /// [ASC | DESC]` · 3.2.0, `ANY` 6.2.0 · O(n + log m), n members around, m within
    fn georadius<T: FromReply>(
        self,
        key: impl Arg,
        center: GeoPoint,
        radius: (f64, GeoUnit),
        details: GeoDetails,
        options: GeoSearchOptions,
    ) -> Self::Output<Vec<GeoMatch<T>>> {
        let command = Command::new("GEORADIUS").key(key).args(center).args(radius);
        self.run(command.args(details).args(options))
    }

    /// As [`georadius`](Self::georadius), on a replica too.
    ///
    /// Deprecated: [`geosearch_with_details`](Self::geosearch_with_details) does it.
    ///
    /// `GEORADIUS_RO key longitude latitude radius unit [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]]
    /// [ASC | DESC]` · 3.2.10, `ANY` 6.2.0 · O(n + log m), n members around, m within
    fn georadius_ro<T: FromReply>(
        self,
        key: impl Arg,
        center: GeoPoint,
        radius: (f64, GeoUnit),
        details: GeoDetails,
        options: GeoSearchOptions,
    ) -> Self::Output<Vec<GeoMatch<T>>> {
        let command = Command::new("GEORADIUS_RO").key(key).args(center).args(radius);
        self.run(command.args(details).args(options).cacheable())
    }

    /// Writes the members within a radius around a place to `destination`; returns how many. What was there
    /// is replaced, by nothing if there is no member.
    ///
    /// Deprecated: [`geosearchstore`](Self::geosearchstore) does it.
    ///
    /// `GEORADIUS key longitude latitude radius unit [COUNT count [ANY]] [ASC | DESC] <STORE key | STOREDIST
    /// key>` · 3.2.0, `ANY` 6.2.0 · O(n + log m), n members around, m within
    fn georadius_store(
        self,
        key: impl Arg,
        center: GeoPoint,
        radius: (f64, GeoUnit),
        destination: impl Arg,
        score: GeoScore,
        options: GeoSearchOptions,
    ) -> Self::Output<u64> {
        let command = Command::new("GEORADIUS").key(key).args(center).args(radius);
        self.run(command.args(options).arg(store_word(score)).key(destination))
    }

    /// Returns the members within a radius around a member, with `details` of each.
    ///
    /// Deprecated: [`geosearch_with_details`](Self::geosearch_with_details) runs on a replica too, as does
    /// [`georadiusbymember_ro`](Self::georadiusbymember_ro).
    ///
    /// `GEORADIUSBYMEMBER key member radius unit [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]]
    /// [ASC | DESC]` · 3.2.0, `ANY` 6.2.0 · O(n + log m), n members around, m within
    fn georadiusbymember<T: FromReply>(
        self,
        key: impl Arg,
        member: impl Arg,
        radius: (f64, GeoUnit),
        details: GeoDetails,
        options: GeoSearchOptions,
    ) -> Self::Output<Vec<GeoMatch<T>>> {
        let command = Command::new("GEORADIUSBYMEMBER").key(key).arg(member).args(radius);
        self.run(command.args(details).args(options))
    }

    /// As [`georadiusbymember`](Self::georadiusbymember), on a replica too.
    ///
    /// Deprecated: [`geosearch_with_details`](Self::geosearch_with_details) does it.
    ///
    /// `GEORADIUSBYMEMBER_RO key member radius unit [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]]
    /// [ASC | DESC]` · 3.2.10, `ANY` 6.2.0 · O(n + log m), n members around, m within
    fn georadiusbymember_ro<T: FromReply>(
        self,
        key: impl Arg,
        member: impl Arg,
        radius: (f64, GeoUnit),
        details: GeoDetails,
        options: GeoSearchOptions,
    ) -> Self::Output<Vec<GeoMatch<T>>> {
        let command = Command::new("GEORADIUSBYMEMBER_RO").key(key).arg(member).args(radius);
        self.run(command.args(details).args(options).cacheable())
    }

    /// Writes the members within a radius around a member to `destination`; returns how many. What was there
    /// is replaced, by nothing if there is no member.
    ///
    /// Deprecated: [`geosearchstore`](Self::geosearchstore) does it.
    ///
    /// `GEORADIUSBYMEMBER key member radius unit [COUNT count [ANY]] [ASC | DESC] <STORE key | STOREDIST key>`
    /// · 3.2.0, `ANY` 6.2.0 · O(n + log m), n members around, m within
    fn georadiusbymember_store(
        self,
        key: impl Arg,
        member: impl Arg,
        radius: (f64, GeoUnit),
        destination: impl Arg,
        score: GeoScore,
        options: GeoSearchOptions,
    ) -> Self::Output<u64> {
        let command = Command::new("GEORADIUSBYMEMBER").key(key).arg(member).args(radius);
        self.run(command.args(options).arg(store_word(score)).key(destination))
    }
}

impl<R: Run> GeoCommands for R {}

/// What stands before the key that `GEORADIUS` and `GEORADIUSBYMEMBER` write to.
const fn store_word(score: GeoScore) -> &'static str {
    match score {
        GeoScore::Place => "STORE",
        GeoScore::Distance => "STOREDIST",
    }
}
