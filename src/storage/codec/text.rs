//! Keys of any length: text, bytes and Matrix identifiers, escaped and ended.
//!
//! A zero byte of the content becomes `00 FF`; the end is `00 01`. The end sorts before every
//! continuation (an escaped zero included), so the bytes sort as the text does.

use ruma::{OwnedEventId, OwnedRoomAliasId, OwnedRoomId, OwnedServerName, OwnedUserId};

use super::Key;
use crate::error::CodecError;

const ESCAPED_ZERO: u8 = 0xFF;
const END: u8 = 0x01;

fn encode_escaped(content: &[u8], out: &mut Vec<u8>) {
    out.reserve(content.len() + 2);
    for (n, run) in content.split(|&byte| byte == 0).enumerate() {
        if n > 0 {
            out.extend_from_slice(&[0, ESCAPED_ZERO]);
        }
        out.extend_from_slice(run);
    }
    out.extend_from_slice(&[0, END]);
}

fn decode_escaped(input: &mut &[u8]) -> Result<Vec<u8>, CodecError> {
    let mut content = Vec::new();
    loop {
        let zero = input.iter().position(|&byte| byte == 0).ok_or(CodecError::ShortKey)?;
        content.extend_from_slice(&input[..zero]);
        let mark = *input.get(zero + 1).ok_or(CodecError::ShortKey)?;
        *input = &input[zero + 2..];
        match mark {
            END => return Ok(content),
            ESCAPED_ZERO => content.push(0),
            _ => return Err(CodecError::BadEscape),
        }
    }
}

impl Key for Vec<u8> {
    const LAYOUT: &'static str = "bytes";
    fn encode(&self, out: &mut Vec<u8>) {
        encode_escaped(self, out);
    }
    fn decode(input: &mut &[u8]) -> Result<Self, CodecError> {
        decode_escaped(input)
    }
}

impl Key for String {
    const LAYOUT: &'static str = "text";
    fn encode(&self, out: &mut Vec<u8>) {
        encode_escaped(self.as_bytes(), out);
    }
    fn decode(input: &mut &[u8]) -> Result<Self, CodecError> {
        String::from_utf8(decode_escaped(input)?).map_err(|_| CodecError::BadText("text"))
    }
}

macro_rules! identifier_keys {
    ($($name:ty as $layout:literal),* $(,)?) => {$(
        impl Key for $name {
            const LAYOUT: &'static str = $layout;
            fn encode(&self, out: &mut Vec<u8>) {
                encode_escaped(self.as_bytes(), out);
            }
            fn decode(input: &mut &[u8]) -> Result<Self, CodecError> {
                <$name>::try_from(String::decode(input)?).map_err(|_| CodecError::BadText($layout))
            }
        }
    )*};
}
identifier_keys!(
    OwnedUserId as "user_id",
    OwnedRoomId as "room_id",
    OwnedEventId as "event_id",
    OwnedRoomAliasId as "room_alias",
    OwnedServerName as "server_name",
);

impl Key for ruma::OwnedDeviceId {
    const LAYOUT: &'static str = "device_id";
    fn encode(&self, out: &mut Vec<u8>) {
        encode_escaped(self.as_bytes(), out);
    }
    fn decode(input: &mut &[u8]) -> Result<Self, CodecError> {
        Ok(String::decode(input)?.into())
    }
}
