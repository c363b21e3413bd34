//! One node: its data, what it believes, whom it follows.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use bytes::Bytes;
use redstart_core::command::slot;

use super::answers::Lie;
use super::view::View;

/// A key behind its slot, so that the keys of a slot lie together.
pub(in crate::sim) type Key = (u16, Bytes);

/// What a node holds: of each key the numbers of the commands that have changed it, in order.
pub(in crate::sim) type Data = BTreeMap<Key, Vec<usize>>;

pub(in crate::sim) fn key(name: &Bytes) -> Key {
    (slot::of(name), name.clone())
}

/// What a primary tells its replicas.
#[derive(Clone, Debug)]
pub(in crate::sim) enum Change {
    /// A command changed a key.
    Append(Key, usize),
    /// A key came from another node.
    Put(Key, Vec<usize>),
    /// A key went to another node.
    Remove(Key),
}

impl Change {
    pub(in crate::sim) fn apply(self, data: &mut Data) {
        match self {
            Self::Append(key, id) => data.entry(key).or_default().push(id),
            Self::Put(key, ids) => drop(data.insert(key, ids)),
            Self::Remove(key) => drop(data.remove(&key)),
        }
    }
}

/// What a node says of slots that it serves instead of serving them.
#[derive(Clone, Debug)]
pub(in crate::sim) struct Detour {
    pub(in crate::sim) first: u16,
    pub(in crate::sim) last: u16,
    /// Where it sends clients to, as it stands in `MOVED`.
    pub(in crate::sim) to: String,
}

/// One node of a cluster.
#[derive(Debug)]
pub(in crate::sim) struct Node {
    /// How the cluster calls its host; its port.
    pub(in crate::sim) host: String,
    pub(in crate::sim) port: u16,
    /// What it believes.
    pub(in crate::sim) view: Rc<View>,
    /// What it will hear, and when.
    news: VecDeque<(u64, Rc<View>)>,
    pub(in crate::sim) data: Data,
    /// What its primary has told it, and when that arrives.
    inbox: VecDeque<(u64, Change)>,
    /// Whose data it has.
    pub(in crate::sim) follows: Option<usize>,
    /// Of which era of that node.
    followed_era: u64,
    /// How often it has begun to follow another node or none: each time, those that follow it begin anew.
    pub(in crate::sim) era: u64,
    /// When its address becomes another cluster's, if it is to.
    pub(in crate::sim) recycled_at: Option<u64>,
    /// Slots whose keys are on their way to another node.
    pub(in crate::sim) migrating: BTreeMap<u16, usize>,
    /// Slots whose keys are on their way from another node.
    pub(in crate::sim) importing: BTreeMap<u16, usize>,
    /// Until then it serves nothing, since it has just come up.
    pub(in crate::sim) unwell_until: u64,
    pub(in crate::sim) lie: Option<Lie>,
    pub(in crate::sim) detour: Option<Detour>,
    /// It belongs to another cluster, which has this one's addresses by chance.
    pub(in crate::sim) foreign: bool,
}

impl Node {
    pub(in crate::sim) fn new(host: String, port: u16, view: Rc<View>) -> Self {
        Self {
            host,
            port,
            view,
            news: VecDeque::new(),
            data: Data::new(),
            inbox: VecDeque::new(),
            follows: None,
            followed_era: 0,
            era: 0,
            recycled_at: None,
            migrating: BTreeMap::new(),
            importing: BTreeMap::new(),
            unwell_until: 0,
            lie: None,
            detour: None,
            foreign: false,
        }
    }

    /// It will hear of a view at `at`.
    pub(in crate::sim) fn tell(&mut self, at: u64, view: &Rc<View>) {
        self.news.push_back((at, Rc::clone(view)));
    }

    /// It will hear nothing more of what is under way.
    pub(in crate::sim) fn cut_off(&mut self) {
        self.news.clear();
    }

    /// Hears what has come. Later news may have overtaken earlier ones.
    pub(in crate::sim) fn learn(&mut self, now: u64) {
        if self.news.is_empty() {
            return;
        }
        let due = self.news.iter().filter(|(at, _)| *at <= now).map(|(_, view)| view);
        if let Some(view) = due.max_by_key(|view| view.version)
            && view.version > self.view.version
        {
            self.view = Rc::clone(view);
        }
        self.news.retain(|(at, _)| *at > now);
    }

    /// Its primary tells it of a change, which arrives at `at` or behind what was told before.
    pub(in crate::sim) fn replicate(&mut self, at: u64, change: Change) {
        let last = self.inbox.back().map_or(0, |(at, _)| *at);
        self.inbox.push_back((at.max(last), change));
    }

    /// Takes over what has come from its primary by `now`.
    pub(in crate::sim) fn catch_up(&mut self, now: u64) {
        while self.inbox.front().is_some_and(|(at, _)| *at <= now) {
            let change = self.inbox.pop_front().map(|(_, change)| change);
            change.into_iter().for_each(|change| change.apply(&mut self.data));
        }
    }

    /// Follows a primary of this number and era from now on, beginning with all its data; or nobody.
    pub(in crate::sim) fn follow(&mut self, primary: Option<(usize, u64, Data)>) {
        self.inbox.clear();
        self.migrating.clear();
        self.importing.clear();
        self.era += 1;
        self.follows = primary.as_ref().map(|(primary, ..)| *primary);
        if let Some((_, era, data)) = primary {
            (self.followed_era, self.data) = (era, data);
        }
    }

    /// Whether it follows the node `primary` of the number `index` without a gap.
    pub(in crate::sim) fn keeps_up_with(&self, index: usize, primary: &Self) -> bool {
        self.follows == Some(index) && self.followed_era == primary.era
    }

    /// Its keys in some slots.
    pub(in crate::sim) fn keys_in(&self, first: u16, last: u16) -> Vec<Key> {
        self.data
            .range((first, Bytes::new())..)
            .map(|(key, _)| key)
            .take_while(|key| key.0 <= last)
            .cloned()
            .collect()
    }
}
