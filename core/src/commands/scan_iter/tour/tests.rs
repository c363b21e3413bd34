use alloc::borrow::ToOwned;

use super::*;
use crate::commands::cluster::SlotRange;
use crate::error::Waiting;

mod model;

fn holding(start: u16, end: u16, id: &str, port: u16) -> Holding {
    let host = ClusterHost::Named("h".to_owned());
    Holding { range: SlotRange::new(start, end), id: Some(id.to_owned()), host, port }
}

fn timeout() -> Error {
    Error::new(ErrorKind::Timeout(Waiting::Reply), Delivery::NotSent)
}
