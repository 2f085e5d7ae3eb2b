use super::{PAUSE_MS_MAX, PAUSE_MS_MIN, Pace};

#[test]
fn pauses_grow_with_the_answers_and_shrink_again() {
    let pace = Pace::default();
    assert_eq!(pace.pause_ms(0), PAUSE_MS_MIN);
    // A thousand readers, each as often as the pause allows.
    let mut now_ms = 0;
    for _ in 0..10 {
        let pause_ms = pace.pause_ms(now_ms);
        for _ in 0..1_000 * 1_000 / pause_ms {
            pace.note_answer(now_ms);
        }
        now_ms += 1_000;
    }
    let pause_ms = pace.pause_ms(now_ms);
    assert!(pause_ms > 4_000 && pause_ms <= PAUSE_MS_MAX, "{pause_ms}");
    pace.note_answer(now_ms);
    now_ms += 1_000;
    assert_eq!(pace.pause_ms(now_ms), PAUSE_MS_MIN);
}
