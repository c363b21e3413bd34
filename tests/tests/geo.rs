//! The geo commands against real servers: both versions, both protocols, the same replies.

use redstart_core::commands::{
    ByRank, GeoArea, GeoCenter, GeoCommands, GeoDetails, GeoMatch, GeoPoint, GeoScore, GeoSearchOptions,
    GeoUnit, GeoaddOptions, KeyCommands, SortedSetCommands, StringCommands,
};
use redstart_core::error::ServerCode;
use redstart_tests::wire::{Wire, for_each_wire};

const PALERMO: GeoPoint = GeoPoint::new(13.361389, 38.115556);
const CATANIA: GeoPoint = GeoPoint::new(15.087269, 37.502669);
/// Near Catania, 190 km from Palermo.
const HERE: GeoPoint = GeoPoint::new(15.0, 37.0);
const FAR: (f64, GeoUnit) = (200.0, GeoUnit::Kilometers);
const NEAR: (f64, GeoUnit) = (100_000.0, GeoUnit::Meters);
const PLAIN: GeoDetails = GeoDetails::new();
const FULL: GeoDetails = GeoDetails::new().point().distance().hash();
const ALL: GeoSearchOptions = GeoSearchOptions::new();

fn circle((radius, unit): (f64, GeoUnit)) -> GeoArea {
    GeoArea::Radius(radius, unit)
}

fn sicily(c: &Wire) {
    let palermo = (PALERMO.longitude, PALERMO.latitude, "Palermo");
    let catania = (CATANIA.longitude, CATANIA.latitude, "Catania");
    assert_eq!(c.geoadd("k", [palermo, catania]), Ok(2));
}

/// Servers keep places to within 0.6 m, here less than 0.00001 degrees.
fn is_near(point: GeoPoint, other: GeoPoint) -> bool {
    let apart = (point.longitude - other.longitude).abs().max((point.latitude - other.latitude).abs());
    apart < 1e-5
}

fn members(found: &[GeoMatch<String>]) -> Vec<&str> {
    found.iter().map(|found| found.member.as_str()).collect()
}

#[test]
fn adding_places() {
    for_each_wire(|c, _| {
        sicily(c);
        assert_eq!(c.geoadd("k", [(1, 2, "Catania"), (3, 4, "new")]).unwrap(), 1);
        let changed = GeoaddOptions::new().count_changed();
        assert_eq!(c.geoadd_with("k", [(5, 6, "new")], GeoaddOptions::new()).unwrap(), 0);
        assert_eq!(c.geoadd_with("k", [(6, 7, "new")], changed).unwrap(), 1);
        assert_eq!(c.geoadd_with("k", [(7, 8, "new")], changed.if_absent()).unwrap(), 0);
        assert_eq!(c.geoadd_with("k", [(8, 9, "other")], changed.if_present()).unwrap(), 0);
        assert_eq!(c.geoadd_with("k", [(8, 9, "new")], changed.if_present()).unwrap(), 1);
        let place = c.geopos("k", "new").unwrap()[0].unwrap();
        assert!(is_near(place, GeoPoint::new(8.0, 9.0)), "{place:?}");
        let pole = c.geoadd("k", [(0, 90, "pole")]).unwrap_err();
        assert_eq!(pole.code(), Some(ServerCode::Err));
        c.set("text", "plain").unwrap();
        assert_eq!(c.geopos("text", "a").unwrap_err().code(), Some(ServerCode::WrongType));
    });
}

#[test]
fn reading_places() {
    for_each_wire(|c, _| {
        sicily(c);
        let places = c.geopos("k", ["Palermo", "nowhere", "Catania"]).unwrap();
        assert!(is_near(places[0].unwrap(), PALERMO) && is_near(places[2].unwrap(), CATANIA), "{places:?}");
        assert_eq!(places[1], None);
        assert_eq!(c.geopos("missing", "Palermo").unwrap(), [None]);
        let hashes = c.geohash("k", ["Palermo", "nowhere"]).unwrap();
        assert_eq!(hashes, [Some("sqc8b49rny0".to_owned()), None]);

        let apart = |unit| c.geodist("k", "Palermo", "Catania", unit).unwrap();
        assert_eq!(apart(GeoUnit::Meters), Some(166274.1516));
        assert_eq!(apart(GeoUnit::Kilometers), Some(166.2742));
        assert_eq!(apart(GeoUnit::Feet), Some(545518.87));
        assert_eq!(apart(GeoUnit::Miles), Some(103.3182));
        assert_eq!(c.geodist("k", "Palermo", "nowhere", GeoUnit::Meters).unwrap(), None);
    });
}

#[test]
fn searching() {
    for_each_wire(|c, _| {
        sicily(c);
        let names =
            |center: GeoCenter, area, options| c.geosearch::<String>("k", center, area, options).unwrap();
        let nearest = ALL.nearest_first();
        let palermo = || GeoCenter::member("Palermo");
        assert_eq!(names(HERE.into(), circle(FAR), nearest), ["Catania", "Palermo"]);
        assert_eq!(names(HERE.into(), circle(FAR), ALL.farthest_first()), ["Palermo", "Catania"]);
        assert_eq!(names(HERE.into(), circle(FAR), ALL.count(1)), ["Catania"]);
        assert_eq!(names(HERE.into(), circle(FAR), ALL.count_any(1)).len(), 1);
        assert_eq!(names(HERE.into(), circle(NEAR), ALL), ["Catania"]);
        assert_eq!(names(palermo(), circle(FAR), nearest), ["Palermo", "Catania"]);
        assert_eq!(names(palermo(), circle(NEAR), nearest), ["Palermo"]);
        let wide = GeoArea::Rectangle(400.0, 400.0, GeoUnit::Kilometers);
        assert_eq!(names(HERE.into(), wide, nearest), ["Catania", "Palermo"]);
        let narrow = GeoArea::Rectangle(50.0, 200.0, GeoUnit::Miles);
        assert_eq!(names(HERE.into(), narrow, nearest), ["Catania"]);
        assert!(c.geosearch::<String>("missing", HERE, circle(FAR), ALL).unwrap().is_empty());
        let nobody = c.geosearch::<String>("k", GeoCenter::member("nobody"), circle(FAR), ALL).unwrap_err();
        assert_eq!(nobody.code(), Some(ServerCode::Err));
    });
}

#[test]
fn details_of_what_is_found() {
    for_each_wire(|c, _| {
        sicily(c);
        let search = |details| {
            c.geosearch_with_details::<String>("k", HERE, circle(FAR), details, ALL.nearest_first()).unwrap()
        };
        let found = search(FULL);
        assert_eq!(members(&found), ["Catania", "Palermo"]);
        assert_eq!(found[0].distance, Some(56.4413));
        assert_eq!(found[0].hash, Some(3_479_447_370_796_909));
        assert!(is_near(found[0].point.unwrap(), CATANIA), "{found:?}");
        assert_eq!(found[1].distance, Some(190.4424));
        assert_eq!(found[1].hash, Some(3_479_099_956_230_698));
        assert!(is_near(found[1].point.unwrap(), PALERMO), "{found:?}");

        let given = |details| {
            let found = search(details).remove(0);
            (found.point.is_some(), found.distance.is_some(), found.hash.is_some())
        };
        assert_eq!(given(PLAIN), (false, false, false));
        assert_eq!(given(PLAIN.point()), (true, false, false));
        assert_eq!(given(PLAIN.distance()), (false, true, false));
        assert_eq!(given(PLAIN.hash()), (false, false, true));
        assert_eq!(given(PLAIN.point().hash()), (true, false, true));
        let none = c.geosearch_with_details::<String>("missing", HERE, circle(FAR), FULL, ALL).unwrap();
        assert!(none.is_empty());
    });
}

/// What a search has stored at `to`: the members and their scores.
fn stored(c: &Wire) -> Vec<(String, f64)> {
    c.zrange_with_scores("to", ByRank::new(0, -1)).expect("a sorted set")
}

#[test]
fn storing_what_is_found() {
    for_each_wire(|c, _| {
        sicily(c);
        assert_eq!(c.geosearchstore("to", "k", HERE, circle(FAR), GeoScore::Place, ALL).unwrap(), 2);
        assert!(is_near(c.geopos("to", "Palermo").unwrap()[0].unwrap(), PALERMO));
        let nearest = ALL.nearest_first().count(1);
        let palermo = GeoCenter::member("Palermo");
        assert_eq!(
            c.geosearchstore("to", "k", palermo, circle(FAR), GeoScore::Distance, nearest).unwrap(),
            1
        );
        assert_eq!(stored(c), [("Palermo".to_owned(), 0.0)]);
        let nothing = circle((1.0, GeoUnit::Feet));
        assert_eq!(c.geosearchstore("to", "k", HERE, nothing, GeoScore::Place, ALL).unwrap(), 0);
        assert_eq!(c.exists("to").unwrap(), 0);
    });
}

#[test]
fn deprecated_searches() {
    for_each_wire(|c, _| {
        sicily(c);
        let nearest = ALL.nearest_first();
        let full = c.geosearch_with_details::<String>("k", HERE, circle(FAR), FULL, nearest).unwrap();
        assert_eq!(c.georadius::<String>("k", HERE, FAR, FULL, nearest).unwrap(), full);
        assert_eq!(c.georadius_ro::<String>("k", HERE, FAR, FULL, nearest).unwrap(), full);
        let near = c.georadius::<String>("k", HERE, NEAR, PLAIN, ALL).unwrap();
        assert_eq!(members(&near), ["Catania"]);
        let any = c.georadius_ro::<String>("k", HERE, FAR, PLAIN.distance(), ALL.count_any(1)).unwrap();
        assert!(any.len() == 1 && any[0].distance.is_some(), "{any:?}");
        assert!(c.georadius::<String>("missing", HERE, FAR, FULL, ALL).unwrap().is_empty());

        let palermo = GeoCenter::member("Palermo");
        let around = c.geosearch_with_details::<String>("k", palermo, circle(FAR), FULL, nearest).unwrap();
        assert_eq!(members(&around), ["Palermo", "Catania"]);
        assert_eq!(c.georadiusbymember::<String>("k", "Palermo", FAR, FULL, nearest).unwrap(), around);
        assert_eq!(c.georadiusbymember_ro::<String>("k", "Palermo", FAR, FULL, nearest).unwrap(), around);
        let alone = c.georadiusbymember_ro::<String>("k", "Palermo", NEAR, PLAIN, ALL).unwrap();
        assert_eq!(members(&alone), ["Palermo"]);
    });
}

#[test]
fn deprecated_storing_searches() {
    for_each_wire(|c, _| {
        sicily(c);
        let nearest = ALL.nearest_first().count(1);
        assert_eq!(c.georadius_store("k", HERE, FAR, "to", GeoScore::Place, ALL).unwrap(), 2);
        assert!(is_near(c.geopos("to", "Catania").unwrap()[0].unwrap(), CATANIA));
        assert_eq!(c.georadius_store("k", HERE, FAR, "to", GeoScore::Distance, nearest).unwrap(), 1);
        let (member, distance) = stored(c).remove(0);
        assert!(member == "Catania" && (56.44..56.45).contains(&distance), "{member} {distance}");

        let store = |score, options| c.georadiusbymember_store("k", "Palermo", FAR, "to", score, options);
        assert_eq!(store(GeoScore::Place, ALL).unwrap(), 2);
        assert!(is_near(c.geopos("to", "Palermo").unwrap()[0].unwrap(), PALERMO));
        assert_eq!(store(GeoScore::Distance, nearest).unwrap(), 1);
        assert_eq!(stored(c), [("Palermo".to_owned(), 0.0)]);
    });
}
