//! WebSocket on the wire, a server's end (RFC 6455, section 5): bytes into messages, and heads of frames.
//!
//! It holds what has come and is not whole yet, and nothing else: a socket that waits has no buffer. (Libraries keep one
//! for each direction, as large as the largest message that ever went through.)

/// A message of a client, or its control frame.
#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    /// What all frames of this extension are.
    Text(String),
    /// Some bytes.
    Binary,
    /// To be answered with the same bytes.
    Ping(Vec<u8>),
    /// The answer to our ping.
    Pong,
    /// The client closes, with this code if it gives one.
    Close(Option<u16>),
}

/// Why nothing more can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It is not the protocol, or text that is no UTF-8.
    Protocol,
    /// A message beyond the limit.
    TooLarge,
}

/// What frames we send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// A whole message.
    Text = 0x1,
    /// The last frame.
    Close = 0x8,
    /// Is anybody there?
    Ping = 0x9,
    /// Yes.
    Pong = 0xA,
}

/// The longest head of a frame that we send, in bytes: a client's has a mask besides.
const HEAD_BYTES_MAX: usize = 10;

/// The longest payload of a control frame, in bytes.
const CONTROL_BYTES_MAX: u64 = 125;

const FINAL: u8 = 0x80;
const RESERVED: u8 = 0x70;
const MASKED: u8 = 0x80;

/// Whether a message that has begun is text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Binary,
}

/// The head of a client's frame.
#[derive(Clone, Copy)]
struct Head {
    is_final: bool,
    opcode: u8,
    payload_bytes: usize,
    mask: [u8; 4],
    /// Its own length.
    bytes: usize,
}

/// Bytes into messages.
pub struct Decoder {
    /// What came and is not read yet; it begins at a frame's head.
    pending: Vec<u8>,
    /// The pieces so far of a message in several frames.
    begun: Option<(Kind, Vec<u8>)>,
    message_bytes_max: usize,
}

impl Decoder {
    /// Nothing has come yet.
    pub fn new(message_bytes_max: usize) -> Self {
        Self { pending: Vec::new(), begun: None, message_bytes_max }
    }

    /// Takes bytes that came.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// The next message, if it is whole.
    ///
    /// # Errors
    /// When nothing more can be read.
    pub fn next(&mut self) -> Result<Option<Message>, Broken> {
        loop {
            let Some(head) = Head::read(&self.pending)? else { return Ok(None) };
            self.check(&head)?;
            let whole = head.bytes + head.payload_bytes;
            if self.pending.len() < whole {
                return Ok(None);
            }
            let mut payload = if self.pending.len() == whole {
                std::mem::take(&mut self.pending)
            } else {
                self.pending.drain(..whole).collect()
            };
            payload.drain(..head.bytes);
            for (byte, mask) in payload.iter_mut().zip(head.mask.iter().cycle()) {
                *byte ^= mask;
            }
            if let Some(message) = self.take(&head, payload)? {
                return Ok(Some(message));
            }
        }
    }

    /// Refuses a frame by its head, before its payload has come.
    fn check(&self, head: &Head) -> Result<(), Broken> {
        let begun_bytes = self.begun.as_ref().map_or(0, |(_, begun)| begun.len());
        match head.opcode {
            0x0 if self.begun.is_none() => Err(Broken::Protocol),
            0x1 | 0x2 if self.begun.is_some() => Err(Broken::Protocol),
            0x0..=0x2 if head.payload_bytes > self.message_bytes_max - begun_bytes => Err(Broken::TooLarge),
            0x0..=0x2 => Ok(()),
            0x8..=0xA if head.is_final && head.payload_bytes as u64 <= CONTROL_BYTES_MAX => Ok(()),
            _ => Err(Broken::Protocol),
        }
    }

    fn take(&mut self, head: &Head, payload: Vec<u8>) -> Result<Option<Message>, Broken> {
        let (kind, bytes) = match head.opcode {
            0x0 => {
                let Some((kind, mut begun)) = self.begun.take() else { return Err(Broken::Protocol) };
                begun.extend_from_slice(&payload);
                (kind, begun)
            }
            0x1 => (Kind::Text, payload),
            0x2 => (Kind::Binary, payload),
            0x8 => return read_close(&payload).map(Some),
            0x9 => return Ok(Some(Message::Ping(payload))),
            _ => return Ok(Some(Message::Pong)),
        };
        if !head.is_final {
            self.begun = Some((kind, bytes));
            return Ok(None);
        }
        match kind {
            Kind::Text => String::from_utf8(bytes).map(|text| Some(Message::Text(text))).map_err(|_| Broken::Protocol),
            Kind::Binary => Ok(Some(Message::Binary)),
        }
    }
}

impl Head {
    /// The head at the beginning of these bytes, if it is whole.
    fn read(bytes: &[u8]) -> Result<Option<Self>, Broken> {
        let [first, second, rest @ ..] = bytes else { return Ok(None) };
        // Clients mask what they send, and no extension was agreed on.
        if first & RESERVED != 0 || second & MASKED == 0 {
            return Err(Broken::Protocol);
        }
        let length_bytes = match second & !MASKED {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let Some((length, rest)) = rest.split_at_checked(length_bytes) else { return Ok(None) };
        let Some((mask, _)) = rest.split_first_chunk::<4>() else { return Ok(None) };
        let length = length.iter().fold(0_u64, |length, byte| length << 8 | u64::from(*byte));
        let length = if length_bytes == 0 { u64::from(second & !MASKED) } else { length };
        Ok(Some(Self {
            is_final: first & FINAL != 0,
            opcode: first & !(FINAL | RESERVED),
            payload_bytes: usize::try_from(length).map_err(|_| Broken::TooLarge)?,
            mask: *mask,
            bytes: 2 + length_bytes + mask.len(),
        }))
    }
}

fn read_close(payload: &[u8]) -> Result<Message, Broken> {
    match payload {
        [] => Ok(Message::Close(None)),
        [high, low, reason @ ..] => match u16::from_be_bytes([*high, *low]) {
            code @ (1000..=1003 | 1007..=1014 | 3000..=4999) if std::str::from_utf8(reason).is_ok() => {
                Ok(Message::Close(Some(code)))
            }
            _ => Err(Broken::Protocol),
        },
        [_] => Err(Broken::Protocol),
    }
}

/// A whole frame.
pub fn write_frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let (head, head_bytes) = write_head(opcode, payload.len());
    let mut frame = Vec::with_capacity(head_bytes + payload.len());
    frame.extend_from_slice(&head[..head_bytes]);
    frame.extend_from_slice(payload);
    frame
}

/// The head of a whole frame with a payload of this many bytes, and how long the head is.
fn write_head(opcode: Opcode, payload_bytes: usize) -> ([u8; HEAD_BYTES_MAX], usize) {
    let mut head = [0; HEAD_BYTES_MAX];
    head[0] = FINAL | opcode as u8;
    let long = (payload_bytes as u64).to_be_bytes();
    let bytes = match payload_bytes {
        0..126 => {
            head[1] = long[7];
            2
        }
        126..65_536 => {
            head[1] = 126;
            head[2..4].copy_from_slice(&long[6..]);
            4
        }
        _ => {
            head[1] = 127;
            head[2..].copy_from_slice(&long);
            HEAD_BYTES_MAX
        }
    };
    (head, bytes)
}

/// The payload of a close frame.
pub fn write_close(code: u16, reason: &str) -> Vec<u8> {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason.as_bytes());
    payload
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;
