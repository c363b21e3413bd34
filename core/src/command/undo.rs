//! What undoes a command that takes something away, when nobody is left to have it.

use alloc::vec::Vec;

use super::{Command, Packed};
use crate::resp::{Item, parse_i64};

/// How what a command took is put back.
///
/// | Command | Undone by |
/// |---|---|
/// | `BLPOP`, `BLMPOP LEFT` | `LPUSH`, the last one first |
/// | `BRPOP`, `BLMPOP RIGHT` | `RPUSH`, the last one first |
/// | `BZPOPMIN`, `BZPOPMAX`, `BZMPOP` | `ZADD` |
/// | `BLMOVE`, `BRPOPLPUSH` | nothing: it lies where it was moved to |
/// | `XREAD`, `XREADGROUP` | nothing: entries stay, and are pending with their consumer |
/// | a lease of a connection | its end |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undo {
    PushLeft,
    PushRight,
    Add,
    Release,
}

impl Undo {
    /// How a command of these arguments is undone; `None` if it takes nothing away.
    pub(crate) fn of<A: AsRef<[u8]>>(args: impl IntoIterator<Item = A>) -> Option<Self> {
        let mut args = args.into_iter();
        let name = args.next()?.as_ref().to_ascii_uppercase();
        match name.as_slice() {
            b"BLPOP" => Some(Self::PushLeft),
            b"BRPOP" => Some(Self::PushRight),
            b"BZPOPMIN" | b"BZPOPMAX" | b"BZMPOP" => Some(Self::Add),
            b"BLMPOP" => {
                let keys = usize::try_from(parse_i64(args.nth(1)?.as_ref())?).ok()?;
                let is_left = args.nth(keys)?.as_ref().eq_ignore_ascii_case(b"LEFT");
                Some(if is_left { Self::PushLeft } else { Self::PushRight })
            }
            _ => None,
        }
    }

    /// The command that puts back what came in `reply`; `None` if nothing came.
    pub(crate) fn command(self, reply: Item<'_>) -> Option<Packed> {
        let mut parts = reply.items();
        let (key, taken) = (parts.next()?.text()?, parts.next()?);
        let name = match self {
            Self::PushLeft => "LPUSH",
            Self::PushRight => "RPUSH",
            Self::Add => "ZADD",
            Self::Release => return None,
        };
        let mut command = Command::<()>::new(name).key(&*key).idempotent();
        match (self, taken.text()) {
            (Self::Add, Some(member)) => command = command.arg(&*parts.next()?.text()?).arg(&*member),
            (Self::Add, None) => {
                for pair in taken.items() {
                    let mut pair = pair.items();
                    let (member, score) = (pair.next()?.text()?, pair.next()?.text()?);
                    command = command.arg(&*score).arg(&*member);
                }
            }
            (_, Some(element)) => command = command.arg(&*element),
            (_, None) => {
                let elements: Vec<_> = taken.items().collect();
                for element in elements.iter().rev() {
                    command = command.arg(&*element.text()?);
                }
            }
        }
        (command.packed().argc() > 2).then(|| command.into_packed())
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use bytes::BytesMut;

    use super::*;
    use crate::resp::{Decoder, Limits};

    /// What undoes a command, given as words, that was answered with `reply`.
    fn undone(command: &str, reply: &str) -> Option<String> {
        let frame = Decoder::new(Limits::default()).decode(&mut BytesMut::from(reply));
        let frame = frame.expect("legal").expect("whole");
        let command = Undo::of(command.split(' '))?.command(frame.item())?;
        let words: Vec<_> = command.args().map(|arg| String::from_utf8_lossy(&arg).into_owned()).collect();
        Some(words.join(" "))
    }

    #[test]
    fn what_was_taken_goes_back_to_where_it_was() {
        let pair = "*2\r\n$1\r\nk\r\n$1\r\na\r\n";
        let list = "*2\r\n$1\r\nk\r\n*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n";
        let scored = "*3\r\n$1\r\nk\r\n$1\r\na\r\n$3\r\n1.5\r\n";
        let scored_3 = "*3\r\n$1\r\nk\r\n$1\r\na\r\n,1.5\r\n";
        let members = "*2\r\n$1\r\nk\r\n*2\r\n*2\r\n$1\r\na\r\n,1\r\n*2\r\n$1\r\nb\r\n,inf\r\n";
        let table = [
            ("BLPOP k l 0", pair, Some("LPUSH k a")),
            ("blpop k 0", pair, Some("LPUSH k a")),
            ("BRPOP k 0", pair, Some("RPUSH k a")),
            ("BLMPOP 0 2 LEFT k left COUNT 3", list, Some("LPUSH k c b a")),
            ("BLMPOP 0 1 LEFT RIGHT", list, Some("RPUSH k c b a")),
            ("BZPOPMIN k 0", scored, Some("ZADD k 1.5 a")),
            ("BZPOPMAX k 0", scored_3, Some("ZADD k 1.5 a")),
            ("BZMPOP 0 1 k MIN COUNT 2", members, Some("ZADD k 1 a inf b")),
            ("BLPOP k 0", "*-1\r\n", None),
            ("BLPOP k 0", "_\r\n", None),
            ("BLPOP k 0", "+QUEUED\r\n", None),
            ("BLMPOP 0 1 k LEFT", "*2\r\n$1\r\nk\r\n*0\r\n", None),
            ("BLMPOP 0 9 k LEFT", list, None),
            ("BZPOPMIN k 0", pair, None),
            ("BLMOVE k l LEFT RIGHT 0", "$1\r\na\r\n", None),
            ("XREADGROUP GROUP g c BLOCK 0 STREAMS k >", pair, None),
        ];
        for (command, reply, expected) in table {
            assert_eq!(undone(command, reply).as_deref(), expected, "{command}: {reply:?}");
        }
    }
}
