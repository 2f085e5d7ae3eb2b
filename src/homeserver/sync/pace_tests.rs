use super::{PAUSE_MS_MAX, PAUSE_MS_MIN, Pace, TURN_MS, Turn};

#[test]
fn the_first_is_told_at_once_and_rests() {
    let (pace, mut turn) = (Pace::default(), Turn::default());
    assert!(turn.is_due(&pace, 1_000));
    turn.note_told(&pace, 1_000);
    assert!(!turn.is_due(&pace, 1_000 + PAUSE_MS_MIN - 1));
    assert_eq!(turn.book(&pace, 1_100), 1_000 + PAUSE_MS_MIN);
    assert_eq!(turn.book(&pace, 1_200), 1_000 + PAUSE_MS_MIN, "asked for once");
    assert!(!turn.is_due(&pace, 1_000 + PAUSE_MS_MIN - 1));
    assert!(turn.is_due(&pace, 1_000 + PAUSE_MS_MIN));
}

/// However many there are, no two are told in the same moment as long as their turns come within the longest pause.
#[test]
fn many_are_told_one_after_another() {
    let pace = Pace::default();
    let count = PAUSE_MS_MAX / TURN_MS;
    let mut turns: Vec<Turn> = (0..count).map(|_| Turn::default()).collect();
    let mut due: Vec<u64> = turns.iter_mut().map(|turn| turn.book(&pace, 0)).collect();
    assert_eq!((due[0], due[due.len() - 1]), (0, PAUSE_MS_MAX - TURN_MS));
    due.dedup();
    assert_eq!(due.len() as u64, count);
    assert!(!Turn::default().is_due(&pace, PAUSE_MS_MAX - 1), "whoever comes now has to wait as well");
    for _ in 0..count {
        assert!(Turn::default().book(&pace, 0) <= PAUSE_MS_MAX, "but not for ever");
    }
}

#[test]
fn a_turn_that_was_not_needed_is_over() {
    let (pace, mut turn) = (Pace::default(), Turn::default());
    turn.note_told(&pace, 0);
    assert_eq!(turn.book(&pace, 10), PAUSE_MS_MIN);
    turn.pass(20);
    assert!(!turn.is_due(&pace, 20), "it has not come yet");
    turn.pass(PAUSE_MS_MIN);
    assert!(turn.is_due(&pace, PAUSE_MS_MIN), "nobody else takes turns");
}
