//! Writing, character by character and object by object.

use super::*;
use crate::json_parse::parse_object;

#[test]
fn only_what_must_be_escaped_is() {
    let mut out = String::new();
    let all: String = (0..0x80_u8).map(char::from).collect();
    write_string(&mut out, &all);
    let expected = concat!(
        r#""\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f"#,
        r"\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f",
        r##" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`"##,
        "abcdefghijklmnopqrstuvwxyz{|}~\u{7f}\"",
    );
    assert_eq!(out, expected);
}

#[test]
fn text_beyond_ascii_stays() {
    let mut out = String::new();
    write_string(&mut out, "é\n日😀\u{2028}");
    assert_eq!(out, "\"é\\n日😀\u{2028}\"");
}

#[test]
fn keys_can_be_left_out() {
    let object = parse_object(r#"{"a":1,"b":[{}],"c":null}"#, 3).unwrap();
    let write = |keep: fn(&str) -> bool| {
        let mut out = String::new();
        write_object(&mut out, &object, keep);
        out
    };
    assert_eq!(write(|_| true), r#"{"a":1,"b":[{}],"c":null}"#);
    assert_eq!(write(|key| key != "a"), r#"{"b":[{}],"c":null}"#);
    assert_eq!(write(|key| key == "c"), r#"{"c":null}"#);
    assert_eq!(write(|_| false), "{}");
}
