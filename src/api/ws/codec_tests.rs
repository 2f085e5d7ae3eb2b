use super::{Broken, Decoder, FINAL, MASKED, Message, Opcode, write_close, write_head};

const LIMIT: usize = 70_000;
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame as a client sends it.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let (head, bytes) = write_head(Opcode::Text, payload.len());
    let mut frame = head[..bytes].to_vec();
    frame[0] = first;
    frame[1] |= MASKED;
    frame.extend_from_slice(&MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

fn decode(bytes: &[u8]) -> Result<Vec<Message>, Broken> {
    let mut decoder = Decoder::new(LIMIT);
    decoder.feed(bytes);
    let mut messages = Vec::new();
    while let Some(message) = decoder.next()? {
        messages.push(message);
    }
    Ok(messages)
}

fn text(text: &str) -> Message {
    Message::Text(text.to_owned())
}

#[test]
fn the_examples_of_the_rfc_are_read() {
    assert_eq!(decode(&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]), Ok(vec![text("Hello")]));
    assert_eq!(decode(&[0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]), Ok(vec![Message::Pong]));
    assert_eq!(write_head(Opcode::Text, 5), ([0x81, 5, 0, 0, 0, 0, 0, 0, 0, 0], 2));
    assert_eq!(write_head(Opcode::Pong, 256), ([0x8a, 126, 1, 0, 0, 0, 0, 0, 0, 0], 4));
    assert_eq!(write_head(Opcode::Text, 65_536), ([0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0], 10));
}

#[test]
fn a_stream_is_read_alike_however_it_is_cut() {
    let long = "long ".repeat(13_500);
    let mut stream = Vec::new();
    for part in [
        frame(0x81, b"one"),
        frame(0x81, "x".repeat(125).as_bytes()),
        frame(0x81, "y".repeat(126).as_bytes()),
        frame(0x01, "tw\u{f6}".split_at(2).0.as_bytes()),
        frame(0x89, b"in between"),
        frame(0x00, &[0xc3]),
        frame(0x80, &[0xb6]),
        frame(0x82, &[0xff]),
        frame(0x81, long.as_bytes()),
        frame(0x81, b""),
        frame(0x88, &write_close(1000, "bye")),
    ] {
        stream.extend(part);
    }
    let expected = vec![
        text("one"),
        text(&"x".repeat(125)),
        text(&"y".repeat(126)),
        Message::Ping(b"in between".to_vec()),
        text("tw\u{f6}"),
        Message::Binary,
        text(&long),
        text(""),
        Message::Close(Some(1000)),
    ];
    for size in [1, 2, 3, 7, 1_000, 4_096, stream.len()] {
        let (mut decoder, mut messages) = (Decoder::new(LIMIT), Vec::new());
        for piece in stream.chunks(size) {
            decoder.feed(piece);
            while let Some(message) = decoder.next().unwrap() {
                messages.push(message);
            }
        }
        assert_eq!(messages, expected, "in pieces of {size}");
        assert_eq!((decoder.pending.capacity(), decoder.begun), (0, None), "and nothing is kept");
    }
}

#[test]
fn what_breaks_the_protocol_is_refused() {
    for (what, bytes) in [
        ("no mask", vec![0x81, 1, b'x']),
        ("a reserved bit", frame(0xc1, b"x")),
        ("an opcode that there is not", frame(0x83, b"x")),
        ("a control frame that there is not", frame(0x8b, b"")),
        ("a control frame in pieces", frame(0x09, b"")),
        ("a control frame that is too long", frame(0x89, &[0; 126])),
        ("nothing to continue", frame(FINAL, b"x")),
        ("a message within a message", [frame(0x01, b"x"), frame(0x81, b"y")].concat()),
        ("no UTF-8", frame(0x81, &[0xff])),
        ("UTF-8 that does not end", [frame(0x01, &[0xc3]), frame(0x80, b"")].concat()),
        ("half a code", frame(0x88, &[3])),
        ("a reason that is no UTF-8", frame(0x88, &[3, 0xe8, 0xff])),
    ] {
        assert_eq!(decode(&bytes), Err(Broken::Protocol), "{what}");
    }
}

#[test]
fn what_is_too_large_is_refused_by_its_head() {
    let whole = frame(0x81, &vec![b'x'; LIMIT + 1]);
    assert_eq!(decode(&whole[..14]), Err(Broken::TooLarge), "before its payload has come");
    assert_eq!(
        decode(&[0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
        Err(Broken::TooLarge)
    );
    assert_eq!(decode(&frame(0x81, &vec![b'x'; LIMIT])).map(|messages| messages.len()), Ok(1));
    let pieces = [frame(0x01, &vec![b'x'; LIMIT]), frame(0x00, b""), frame(0x80, b"y")].concat();
    assert_eq!(decode(&pieces), Err(Broken::TooLarge), "also in pieces");
}
