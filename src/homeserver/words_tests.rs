//! Words are the same however they are written, and scripts without spaces can be searched.

use super::{WORDS_PER_EVENT_MAX, WORDS_PER_QUERY_MAX, fold, index_words, query_words, spellings};

/// Whether a question finds a text.
fn finds(question: &str, text: &str) -> bool {
    let asked = query_words(question);
    let there = index_words(text);
    !asked.is_empty() && asked.iter().all(|word| there.words.iter().any(|(known, _)| known == word))
}

#[test]
fn case_accents_and_compatibility_forms_do_not_matter() {
    for (question, text) in [
        ("cafe", "Un CAFÉ, s'il vous plaît"),
        ("PLAÎT", "s'il vous plait"),
        ("strasse", "Die Straße"),
        ("οδος", "ΟΔΟΣ"),
        ("istanbul", "İSTANBUL"),
        ("file", "the \u{fb01}le"),
        ("123", "\u{ff11}\u{ff12}\u{ff13}"),
        ("привет", "Привет, мир"),
        ("שלום", "שָׁלוֹם"),
    ] {
        assert!(finds(question, text), "{question} in {text}");
    }
    assert!(!finds("caf", "café"), "whole words only");
}

#[test]
fn scripts_without_spaces_are_found_by_any_part() {
    for (question, text) in [
        ("服务器", "我的服务器今天很慢"),
        ("慢", "我的服务器今天很慢"),
        ("サーバー", "ホームサーバーが落ちた"),
        ("ｻｰﾊﾞｰ", "ホームサーバーが落ちた"),
        ("서버", "서버를 다시 시작했다"),
        ("ภาษา", "ฉันพูดภาษาไทย"),
        ("matrix 服务器", "一个Matrix服务器"),
    ] {
        assert!(finds(question, text), "{question} in {text}");
    }
    assert!(!finds("器务", "我的服务器"));
}

#[test]
fn names_and_addresses_are_split() {
    for question in ["matrix.org", "org", "don't", "snake_case", "case"] {
        assert!(finds(question, "See matrix.org, don't use snake_case"), "{question}");
    }
    assert!(query_words(" ... !? ").is_empty());
}

#[test]
fn counts_and_ceilings_hold() {
    let words = index_words("tea for two, and two for Tea");
    assert_eq!(words.total, 7);
    assert_eq!(words.words, [("tea".into(), 2), ("for".into(), 2), ("two".into(), 2), ("and".into(), 1)]);
    let many = (0..2 * WORDS_PER_EVENT_MAX).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
    assert_eq!(index_words(&many).words.len(), WORDS_PER_EVENT_MAX);
    assert_eq!(query_words(&many).len(), WORDS_PER_QUERY_MAX);
    let long = "x".repeat(10_000);
    assert!(finds(&long, &long));
    assert!(query_words(&long)[0].len() <= 160);
}

#[test]
fn what_was_found_is_marked_as_it_is_written() {
    assert_eq!(spellings("Le CAFÉ et le cafe", &query_words("cafe")), ["café", "cafe"]);
    assert_eq!(fold("Ångström"), "angstrom");
}
