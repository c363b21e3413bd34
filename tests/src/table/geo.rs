//! Rows of the geo commands.

use redstart_core::command::Prepare as p;
use redstart_core::commands::{
    GeoArea, GeoCenter, GeoCommands, GeoDetails, GeoPoint, GeoScore, GeoSearchOptions, GeoUnit, GeoaddOptions,
};

use super::Table;

const HERE: GeoPoint = GeoPoint::new(15.0, 37.5);
const CIRCLE: GeoArea = GeoArea::Radius(200.0, GeoUnit::Kilometers);
const BOX: GeoArea = GeoArea::Rectangle(400.0, 300.5, GeoUnit::Meters);
const RADIUS: (f64, GeoUnit) = (200.0, GeoUnit::Kilometers);
const PLAIN: GeoDetails = GeoDetails::new();
const FULL: GeoDetails = GeoDetails::new().point().distance().hash();
const ALL: GeoSearchOptions = GeoSearchOptions::new();
const NEAREST: GeoSearchOptions = GeoSearchOptions::new().nearest_first().count(5);

pub(super) fn rows(t: &mut Table) {
    places(t);
    searches(t);
    deprecated_searches(t);
}

fn places(t: &mut Table) {
    let always = GeoaddOptions::new();
    t.row("geoadd", p.geoadd("k", [(13.361389, 38.115556, "a")]));
    t.row("geoadd", p.geoadd("k", [(13.361389, 38.115556, "a"), (15.087269, -37.502669, "b")]));
    t.row("geoadd_with", p.geoadd_with("k", [(1, 2, "a")], always));
    t.row("geoadd_with", p.geoadd_with("k", [(1, 2, "a")], always.if_absent()));
    t.row("geoadd_with", p.geoadd_with("k", [(1, 2, "a")], always.if_present().count_changed()));
    t.row("geodist", p.geodist("k", "a", "b", GeoUnit::Meters));
    t.row("geodist", p.geodist("k", "a", "b", GeoUnit::Kilometers));
    t.row("geodist", p.geodist("k", "a", "b", GeoUnit::Feet));
    t.row("geodist", p.geodist("k", "a", "b", GeoUnit::Miles));
    t.row("geohash", p.geohash("k", ["a", "b"]));
    t.row("geopos", p.geopos("k", ["a", "b"]));
}

fn searches(t: &mut Table) {
    let member = || GeoCenter::member("a");
    t.row("geosearch", p.geosearch::<String>("k", HERE, CIRCLE, ALL));
    t.row("geosearch", p.geosearch::<String>("k", member(), BOX, NEAREST));
    t.row("geosearch", p.geosearch::<String>("k", member(), CIRCLE, ALL.farthest_first().count_any(5)));
    let details = GeoDetails::new().distance();
    t.row("geosearch_with_details", p.geosearch_with_details::<String>("k", member(), CIRCLE, details, ALL));
    t.row("geosearch_with_details", p.geosearch_with_details::<String>("k", HERE, BOX, FULL, NEAREST));
    t.row("geosearchstore", p.geosearchstore("to", "from", HERE, CIRCLE, GeoScore::Place, ALL));
    t.row("geosearchstore", p.geosearchstore("to", "from", member(), BOX, GeoScore::Distance, NEAREST));
}

fn deprecated_searches(t: &mut Table) {
    let (place, distance) = (GeoScore::Place, GeoScore::Distance);
    t.row("georadius", p.georadius::<String>("k", HERE, RADIUS, PLAIN, ALL));
    t.row("georadius", p.georadius::<String>("k", HERE, RADIUS, FULL, NEAREST));
    t.row("georadius_ro", p.georadius_ro::<String>("k", HERE, RADIUS, PLAIN, ALL));
    t.row("georadius_ro", p.georadius_ro::<String>("k", HERE, RADIUS, FULL, NEAREST));
    t.row("georadius_store", p.georadius_store("from", HERE, RADIUS, "to", place, ALL));
    t.row("georadius_store", p.georadius_store("from", HERE, RADIUS, "to", distance, NEAREST));
    t.row("georadiusbymember", p.georadiusbymember::<String>("k", "a", RADIUS, PLAIN, ALL));
    t.row("georadiusbymember", p.georadiusbymember::<String>("k", "a", RADIUS, FULL, NEAREST));
    t.row("georadiusbymember_ro", p.georadiusbymember_ro::<String>("k", "a", RADIUS, PLAIN, ALL));
    t.row("georadiusbymember_ro", p.georadiusbymember_ro::<String>("k", "a", RADIUS, FULL, NEAREST));
    t.row("georadiusbymember_store", p.georadiusbymember_store("from", "a", RADIUS, "to", place, ALL));
    t.row("georadiusbymember_store", p.georadiusbymember_store("from", "a", RADIUS, "to", distance, NEAREST));
}
