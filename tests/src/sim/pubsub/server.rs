//! The model server's part: who is subscribed to what, and what it is told.

use std::collections::BTreeSet;

use super::super::conn::Stage;
use super::super::request::Request;
use super::super::trace::Note;
use super::super::world::World;
use super::CHANNELS;

/// How many messages of each channel were published.
pub(in super::super) type Published = [u64; CHANNELS];

/// What a command does to subscriptions: whether it is about patterns, and whether they begin.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Change {
    patterns: bool,
    begin: bool,
}

impl Change {
    /// What this command does, if it is about subscriptions.
    pub(in super::super) fn of(name: &[u8]) -> Option<Self> {
        let (patterns, begin) = match name {
            b"SUBSCRIBE" => (false, true),
            b"UNSUBSCRIBE" => (false, false),
            b"PSUBSCRIBE" => (true, true),
            b"PUNSUBSCRIBE" => (true, false),
            _ => return None,
        };
        Some(Self { patterns, begin })
    }

    /// Does it, and appends what the server says to it.
    pub(in super::super) fn confirm(
        self,
        topics: &mut BTreeSet<(bool, Vec<u8>)>,
        request: &Request,
        resp3: bool,
        out: &mut Vec<u8>,
    ) {
        let verb = request.name().to_ascii_lowercase();
        for name in request.args.iter().skip(1) {
            let topic = (self.patterns, name.to_vec());
            if self.begin {
                topics.insert(topic)
            } else {
                topics.remove(&topic)
            };
            header(resp3, 3, out);
            [&verb[..], name].into_iter().for_each(|part| string(part, out));
            out.extend_from_slice(format!(":{}\r\n", topics.len()).as_bytes());
        }
    }
}

/// The name of a channel.
pub(super) fn channel(number: usize) -> String {
    format!("ch:{number}")
}

impl World {
    /// Something is published, if the server is there for it.
    pub(in super::super) fn publish(&mut self, number: usize) {
        if !self.servers[0].is_up() {
            return;
        }
        self.published[number] += 1;
        let (name, payload) = (channel(number), self.published[number].to_string());
        self.note(&Note::Server(&format!("{name} is told {payload}")));
        for id in 0..self.conns.len() {
            let conn = &self.conns[id];
            if conn.stage != Stage::Open || conn.broken || !conn.served || conn.down.silent {
                continue;
            }
            let mut out = Vec::new();
            for (is_pattern, topic) in &conn.session.topics {
                let parts: &[&[u8]] = match is_pattern {
                    true => &[b"pmessage", topic, name.as_bytes(), payload.as_bytes()],
                    false if topic == name.as_bytes() => &[b"message", topic, payload.as_bytes()],
                    false => continue,
                };
                header(conn.session.resp3, parts.len(), &mut out);
                parts.iter().for_each(|part| string(part, &mut out));
            }
            self.send_down(id, &out);
        }
    }
}

fn header(resp3: bool, len: usize, out: &mut Vec<u8>) {
    out.push(if resp3 { b'>' } else { b'*' });
    out.extend_from_slice(format!("{len}\r\n").as_bytes());
}

fn string(text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("${}\r\n", text.len()).as_bytes());
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}
