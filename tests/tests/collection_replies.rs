//! Replies of lists, sets, sorted sets and places are read in every spelling, and refused where they are none.

use bytes::BytesMut;
use redstart_core::command::FromReply;
use redstart_core::commands::{GeoMatch, GeoPoint, ListInserted, ScanPage};
use redstart_core::error::ConversionError;
use redstart_core::resp::{Decoder, Limits};

fn read<T: FromReply>(wire: &str) -> Result<T, ConversionError> {
    let mut bytes = BytesMut::from(wire);
    let frame = Decoder::new(Limits::default()).decode(&mut bytes).expect("legal").expect("whole");
    T::from_reply(frame.item())
}

#[test]
fn absence_of_a_pair() {
    type Pair = Option<(String, f64)>;
    for absent in ["*0\r\n", "*-1\r\n", "$-1\r\n", "_\r\n"] {
        assert_eq!(read::<Pair>(absent), Ok(None), "{absent:?}");
    }
    for pair in ["*2\r\n$1\r\na\r\n$3\r\n1.5\r\n", "*2\r\n$1\r\na\r\n,1.5\r\n"] {
        assert_eq!(read::<Pair>(pair), Ok(Some(("a".to_owned(), 1.5))), "{pair:?}");
    }
    for wrong in ["*1\r\n$1\r\na\r\n", "*3\r\n$1\r\na\r\n:1\r\n:2\r\n", "$0\r\n\r\n", ":0\r\n"] {
        assert!(read::<Pair>(wrong).is_err(), "{wrong:?}");
    }
    assert!(read::<(String, f64)>("*0\r\n").is_err());
}

#[test]
fn pages() {
    let page: ScanPage<String> = read("*2\r\n$20\r\n18446744073709551615\r\n~1\r\n+a\r\n").expect("a page");
    assert_eq!((page.cursor, page.is_last(), page.items), (u64::MAX, false, vec!["a".to_owned()]));
    let pairs = ["*2\r\n$1\r\na\r\n$1\r\n1\r\n", "%1\r\n$1\r\na\r\n,1\r\n", "*1\r\n*2\r\n$1\r\na\r\n:1\r\n"];
    for pairs in pairs {
        let page: ScanPage<(String, f64)> = read(&format!("*2\r\n$1\r\n0\r\n{pairs}")).expect(pairs);
        assert!(page.is_last());
        assert_eq!(page.items, [("a".to_owned(), 1.0)], "{pairs:?}");
    }
    for wrong in
        ["*0\r\n", "*1\r\n:0\r\n", "*3\r\n:0\r\n*0\r\n:0\r\n", "*2\r\n:-1\r\n*0\r\n", "*2\r\n:0\r\n_\r\n"]
    {
        assert!(read::<ScanPage<String>>(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn insertions() {
    assert_eq!(read(":3\r\n"), Ok(ListInserted::Length(3)));
    assert_eq!(read(":0\r\n"), Ok(ListInserted::NoKey));
    assert_eq!(read(":-1\r\n"), Ok(ListInserted::NoPivot));
    assert!(read::<ListInserted>(":-2\r\n").is_err());
    assert!(read::<ListInserted>("_\r\n").is_err());
}

#[test]
fn matches() {
    type Match = GeoMatch<String>;
    let full = "*4\r\n$1\r\na\r\n,0.5\r\n:7\r\n*2\r\n,1\r\n$1\r\n2\r\n";
    let found: Match = read(full).expect("a match");
    assert_eq!((found.member.as_str(), found.distance, found.hash), ("a", Some(0.5), Some(7)));
    assert_eq!(found.point, Some(GeoPoint::new(1.0, 2.0)));
    let alone: Match = read("$1\r\na\r\n").expect("a match");
    assert_eq!((alone.member.as_str(), alone.distance, alone.hash, alone.point), ("a", None, None, None));
    for wrong in ["*0\r\n", "_\r\n", "*2\r\n$1\r\na\r\n:-7\r\n", "*2\r\n$1\r\na\r\n*1\r\n,1\r\n"] {
        assert!(read::<Match>(wrong).is_err(), "{wrong:?}");
    }
}
