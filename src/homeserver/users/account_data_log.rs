//! Long content in the log of account data: cut into parts at consecutive positions, and put together again.

use hearth_protocol::LanePos;
use hearth_storage::schema::users::AccountDataPart;

/// Length of a part, in bytes; with what else is in its row it stays under what a row may hold.
pub(super) const PART_BYTES: usize = 48 * 1024;
/// Most parts of one content: all must fit one transaction, with the deletion of as many.
pub(super) const PARTS_MAX: usize = 16;

/// The parts of a content, at least one.
pub(super) fn split_content(content: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = content;
    while rest.len() > PART_BYTES {
        let (part, after) = rest.split_at(rest.floor_char_boundary(PART_BYTES));
        parts.push(part);
        rest = after;
    }
    parts.push(rest);
    parts
}

/// Puts parts together as they are read.
#[derive(Default)]
pub(super) struct Assembly {
    begun: Option<(LanePos, AccountDataPart)>,
}

impl Assembly {
    /// Takes the next row; gives a content back when its last part has come, with the position of that part.
    pub(super) fn add(&mut self, pos: LanePos, mut part: AccountDataPart) -> Option<(LanePos, AccountDataPart)> {
        if let Some((last, begun)) = self.begun.take()
            && last.next() == pos
            && begun.parts_left == part.parts_left + 1
            && (&begun.room_id, &begun.kind) == (&part.room_id, &part.kind)
        {
            part.content.insert_str(0, &begun.content);
        }
        if part.parts_left == 0 {
            return Some((pos, part));
        }
        self.begun = Some((pos, part));
        None
    }
}

#[cfg(test)]
mod tests {
    use hearth_protocol::LanePos;
    use hearth_storage::schema::users::AccountDataPart;

    use super::{Assembly, PART_BYTES, split_content};

    fn part(kind: &str, parts_left: u16, content: &str) -> AccountDataPart {
        AccountDataPart {
            room_id: String::new(),
            kind: kind.to_owned(),
            parts_left,
            is_deleted: false,
            content: content.to_owned(),
        }
    }

    #[test]
    fn contents_are_cut_between_characters() {
        assert_eq!(split_content("{}"), ["{}"]);
        let long = format!("a{}", "é".repeat(PART_BYTES));
        let parts = split_content(&long);
        assert_eq!(parts.len(), 3);
        assert!(parts.iter().all(|part| part.len() <= PART_BYTES));
        assert_eq!(parts.concat(), long);
    }

    #[test]
    fn parts_become_one_content_again() {
        let mut assembly = Assembly::default();
        assert!(assembly.add(LanePos::new(1, 4), part("a", 2, "x")).is_none());
        assert!(assembly.add(LanePos::new(1, 5), part("a", 1, "y")).is_none());
        let (pos, whole) = assembly.add(LanePos::new(1, 6), part("a", 0, "z")).unwrap();
        assert_eq!((pos, whole.content.as_str()), (LanePos::new(1, 6), "xyz"));
        assert_eq!(assembly.add(LanePos::new(1, 9), part("b", 0, "{}")).unwrap().1.content, "{}");
    }
}
