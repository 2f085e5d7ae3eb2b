//! An answer of the server, and what tests say about it.

use http::{HeaderMap, StatusCode};
use serde_json::Value;

/// A whole answer.
#[derive(Debug)]
pub struct Response {
    /// What was asked, for messages: `PUT /_matrix/...`.
    pub request: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Response {
    /// The body as JSON; null when it is empty.
    #[track_caller]
    pub fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{}: not JSON: {error}: {}", self.request, self.text()))
    }

    /// The JSON of a successful answer.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}: {}", self.request, self.text());
        self.json()
    }

    /// The JSON of an error with this status and `errcode`.
    #[track_caller]
    pub fn fails(self, status: u16, errcode: &str) -> Value {
        let json = self.json();
        let got = (self.status.as_u16(), json["errcode"].as_str().unwrap_or_default());
        assert_eq!(got, (status, errcode), "{}: {}", self.request, self.text());
        json
    }

    /// The JSON of a question for user-interactive authentication.
    #[track_caller]
    pub fn asks_for_auth(self) -> Value {
        assert_eq!(self.status, StatusCode::UNAUTHORIZED, "{}: {}", self.request, self.text());
        let json = self.json();
        assert!(json["flows"].is_array() && json["session"].is_string(), "{}: {json}", self.request);
        json
    }

    /// A header's value; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header of text"))
    }

    /// The bytes of a successful answer.
    #[track_caller]
    pub fn file(self) -> Vec<u8> {
        assert!(self.status.is_success(), "{}: {} {}", self.request, self.status, self.text());
        self.body
    }

    /// The body as text, for messages.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
