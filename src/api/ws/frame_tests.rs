use serde_json::{Value, json};

use super::*;

#[test]
fn a_call_keeps_its_body_byte_for_byte() {
    let text = r#"{"op":"call","id":"1","method":"PUT","path":"/x","body":{ "a" : 1e2 }}"#;
    let ClientFrame::Call(call) = parse_frame(text).unwrap() else { panic!("a call") };
    assert_eq!(call.body.unwrap().get(), r#"{ "a" : 1e2 }"#);
    assert_eq!((&*call.id, &*call.method, &*call.path), ("1", "PUT", "/x"));
}

#[test]
fn what_lacks_a_field_or_is_no_frame_is_refused() {
    let long = format!(r#"{{"op":"stop","id":"{}"}}"#, "x".repeat(256));
    for text in [
        "",
        "[]",
        "1",
        r#"{"id":"1"}"#,
        r#"{"op":"dance"}"#,
        r#"{"op":"auth"}"#,
        r#"{"op":"auth","token":1}"#,
        r#"{"op":"sync","id":"1","path":"/x"}"#,
        r#"{"op":"sync","id":"","conn_id":"c","path":"/x"}"#,
        r#"{"op":"ack","id":"1"}"#,
        r#"{"op":"ack","id":"1","seq":-1}"#,
        r#"{"op":"call","id":"1","method":"GET"}"#,
        r#"{"op":"call","id":"1","method":"GET","path":"/x","headers":{"a":1}}"#,
        &long,
    ] {
        assert!(parse_frame(text).is_err(), "{text}");
    }
}

#[test]
fn fields_that_nobody_knows_are_passed_over() {
    assert!(matches!(parse_frame(r#"{"op":"ping","new":[{}]}"#), Ok(ClientFrame::Ping)));
}

#[test]
fn an_answer_is_one_json_object_with_the_headers_that_matter() {
    let mut headers = HeaderMap::new();
    headers.insert(RETRY_AFTER, 2.into());
    headers.insert("x-request-id", 1.into());
    let text = write_answer(AnswerKind::Reply, "a\"b", StatusCode::TOO_MANY_REQUESTS, &headers, r#"{"k":1}"#);
    let expected = json!({
        "op": "reply", "id": "a\"b", "status": 429, "headers": { "retry-after": "2" }, "body": { "k": 1 },
    });
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    let empty = write_answer(AnswerKind::Error, "s", StatusCode::OK, &HeaderMap::new(), "");
    assert_eq!(serde_json::from_str::<Value>(&empty).unwrap()["body"], Value::Null);
}
