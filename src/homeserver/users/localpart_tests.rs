use ruma::{ServerName, server_name};

use super::{BadUsername, build_login_candidates, build_user_id};

fn server() -> &'static ServerName {
    server_name!("hs1")
}

#[test]
fn names_of_the_grammar_are_taken_and_capitals_are_lowered() {
    for name in ["alice", "q3._=-/+", "0", "user-UPPER"] {
        let id = build_user_id(name, server()).unwrap();
        assert_eq!(id.as_str(), format!("@{}:hs1", name.to_ascii_lowercase()));
    }
}

#[test]
fn other_characters_are_refused() {
    for name in [
        "a!b", "a\"b", "a:b", "a?b", "a\\b", "a@b", "a[b", "a]b", "a{b", "a|b", "a}b", "a£b", "aéb", "a\nb", "a'b",
        "a b", "a\0b",
    ] {
        assert_eq!(build_user_id(name, server()), Err(BadUsername::Characters), "{name:?}");
    }
    assert_eq!(build_user_id("", server()), Err(BadUsername::Empty));
}

#[test]
fn the_whole_id_has_255_bytes_at_most() {
    let longest = "a".repeat(255 - "@:hs1".len());
    assert!(build_user_id(&longest, server()).is_ok());
    assert_eq!(build_user_id(&format!("{longest}a"), server()), Err(BadUsername::TooLong));
}

#[test]
fn login_takes_ids_localparts_capitals_and_historical_names() {
    let names = |name| build_login_candidates(name, server()).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names("alice"), ["@alice:hs1"]);
    assert_eq!(names("@alice:hs1"), ["@alice:hs1"]);
    assert_eq!(names("@ALICE:hs1"), ["@ALICE:hs1", "@alice:hs1"]);
    assert_eq!(names("a!b"), ["@a!b:hs1"]);
    assert!(names("@alice:elsewhere").is_empty());
    assert!(names("@alice").is_empty());
    assert!(names(&"a".repeat(300)).is_empty());
}
