//! The HyperLogLog commands against real servers: both versions, both protocols, the same replies.

use redstart_core::commands::{HyperLogLogCommands, KeyCommands, StringCommands};
use redstart_core::error::ServerCode;
use redstart_tests::wire::for_each_wire;

#[test]
fn estimates() {
    for_each_wire(|c, _| {
        assert!(c.pfadd("empty", ()).unwrap());
        assert!(!c.pfadd("empty", ()).unwrap());
        assert_eq!(c.pfcount(["empty", "missing"]).unwrap(), 0);

        assert!(c.pfadd("a", ["x", "y", "z"]).unwrap());
        assert!(!c.pfadd("a", "y").unwrap());
        assert!(c.pfadd("b", ["z", "w"]).unwrap());
        assert_eq!(c.pfcount("a").unwrap(), 3);
        assert_eq!(c.pfcount(["a", "b"]).unwrap(), 4);

        c.pfmerge("d", ["a", "b"]).unwrap();
        assert_eq!(c.pfcount("d").unwrap(), 4);
        c.pfmerge("d", "missing").unwrap();
        assert_eq!(c.pfcount("d").unwrap(), 4);

        let thousand: Vec<u32> = (0..1_000).collect();
        assert!(c.pfadd("many", thousand).unwrap());
        assert!((950..=1_050).contains(&c.pfcount("many").unwrap()));

        assert_eq!(c.del(["a", "b"]).unwrap(), 2);
        c.set("a", "plain").unwrap();
        assert_eq!(c.pfcount("a").unwrap_err().code(), Some(ServerCode::WrongType));
    });
}
