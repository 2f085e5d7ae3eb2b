//! Tokens survive the way to the client and back, and nothing else is one.

use hearth_protocol::{Lane, LanePos, RoomKey};

use super::{Ephemeral, InvalidToken, PageToken, Positions, SyncToken, history_token};
use crate::rooms::HistoryPos;
use crate::users::PresencePos;

fn token(lanes: &[(u32, u32)]) -> SyncToken {
    SyncToken {
        lanes: Positions::new(lanes.iter().map(|(epoch, n)| LanePos::new(*epoch, *n)).collect()),
        ephemeral: Ephemeral {
            epoch: 3,
            typing: 300,
            presence: PresencePos { epoch: u64::MAX, count: 4 },
            typing_rooms: vec![7, u32::MAX],
        },
    }
}

#[test]
fn tokens_of_any_number_of_lanes_come_back() {
    for lanes in [vec![(1, 0)], vec![(0, 0); 8], vec![(u32::MAX, u32::MAX), (1, 127), (1, 128)]] {
        let token = token(&lanes);
        let count = u16::try_from(lanes.len()).unwrap();
        assert_eq!(SyncToken::parse(&token.to_string(), count), Ok(token));
    }
}

#[test]
fn a_position_of_one_lane_holds_for_each_lane_that_it_was_split_into() {
    let read = SyncToken::parse(&token(&[(2, 77)]).to_string(), 8).unwrap();
    assert!((0..8).all(|lane| read.lanes.of(Lane(lane)) == LanePos::new(2, 77)));
    assert_eq!(SyncToken::parse(&read.to_string(), 8), Ok(read));
}

#[test]
fn lanes_are_never_joined() {
    assert_eq!(SyncToken::parse(&token(&[(1, 1); 8]).to_string(), 4), Err(InvalidToken));
    assert_eq!(SyncToken::parse(&token(&[(1, 1); 8]).to_string(), 1), Err(InvalidToken));
}

#[test]
fn what_is_no_token_is_refused() {
    let good = token(&[(1, 1)]).to_string();
    let cut = &good[..good.len() - 2];
    let long = format!("s1_{}", "A".repeat(20_000));
    for bad in ["", "s", "s1_", "s2_AQEB", "72594_4483", "s1_!!!!", "t1_AQ", cut, &format!("{good}AA"), &long] {
        assert_eq!(SyncToken::parse(bad, 1), Err(InvalidToken), "{bad}");
        assert_eq!(PageToken::parse(bad, 1), Err(InvalidToken), "{bad}");
    }
    // A number of more than 64 bits.
    assert_eq!(PageToken::parse("t1_____________8B", 1), Err(InvalidToken));
}

#[test]
fn places_of_history_come_back() {
    for order in [0, 1, -1, i64::MIN, i64::MAX] {
        let pos = HistoryPos { depth: 300, order };
        assert_eq!(PageToken::parse(&history_token(pos), 8), Ok(PageToken::History(pos)));
    }
}

#[test]
fn positions_compare_lane_by_lane() {
    let (a, b) = (token(&[(1, 5), (1, 1)]).lanes, token(&[(1, 1), (2, 0)]).lanes);
    assert!(!a.reaches(&b) && !b.reaches(&a));
    assert!(a.later(&b).reaches(&a) && a.later(&b).reaches(&b));
}

#[test]
fn a_token_remembers_the_last_rooms_with_somebody_typing() {
    let mut ephemeral = Ephemeral::default();
    let room = |n: u8| RoomKey([n; 16]);
    for n in 0..20 {
        ephemeral.note_typing(room(n), true);
        ephemeral.note_typing(room(n), true);
    }
    assert_eq!(ephemeral.typing_rooms.len(), super::TYPING_ROOMS_MAX);
    assert!(ephemeral.shows_typing(room(19)) && !ephemeral.shows_typing(room(0)));
    ephemeral.note_typing(room(19), false);
    assert!(!ephemeral.shows_typing(room(19)));
}
