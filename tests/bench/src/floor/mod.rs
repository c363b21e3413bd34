//! The floors: the least work that each row's job takes, as a measure for everybody who does it.

pub mod bare;
pub mod encode;
mod input;
mod listen;
pub mod mux;
pub mod offline;
pub mod scan;

use crate::contender::Suite;

pub const LOOP: &str = "floor-loop";
pub const MUX: &str = "floor-mux";
pub const SCAN: &str = "floor-scan";
pub const OWNED: &str = "floor-owned";
pub const ENCODE: &str = "floor";

pub fn register(suite: &mut Suite) {
    suite.endpoint::<bare::Bare>(LOOP);
    suite.cluster::<bare::Bare>(LOOP);
    suite.blocking::<bare::BareBlocking>(LOOP);
    suite.subscriber::<bare::BareSubscriber>(LOOP);
    suite.client::<mux::Mux>(MUX);
    suite.subscriber::<listen::Floor>(MUX);
    suite.decoder::<offline::Scanning>(SCAN);
    suite.owned::<offline::Owning>(OWNED);
    suite.encoder::<offline::Encoding>(ENCODE);
}
