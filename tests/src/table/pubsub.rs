//! Rows of the commands of publish/subscribe.

use redstart_core::command::Prepare as p;
use redstart_core::commands::PubSubCommands;

use super::Table;

pub(super) fn rows(t: &mut Table) {
    t.row("publish", p.publish("c", "m"));
    t.row("spublish", p.spublish("c", "m"));
    t.row("pubsub_channels", p.pubsub_channels::<String>(()));
    t.row("pubsub_channels", p.pubsub_channels::<String>("n*"));
    t.row("pubsub_numsub", p.pubsub_numsub(()));
    t.row("pubsub_numsub", p.pubsub_numsub(["c", "d"]));
    t.row("pubsub_numpat", p.pubsub_numpat());
    t.row("pubsub_shardchannels", p.pubsub_shardchannels::<String>(()));
    t.row("pubsub_shardchannels", p.pubsub_shardchannels::<String>("n*"));
    t.row("pubsub_shardnumsub", p.pubsub_shardnumsub(()));
    t.row("pubsub_shardnumsub", p.pubsub_shardnumsub(["c", "d"]));
}
