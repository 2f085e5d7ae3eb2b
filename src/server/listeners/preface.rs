//! Which HTTP a peer speaks, by the first bytes that it sends.
//!
//! What was read to find out is read again by whoever serves the connection, together with what follows it: a server that
//! gets the first bytes alone takes a second, larger buffer for the rest.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

/// What a peer begins with that speaks HTTP/2 (RFC 9113, section 3.4).
const HTTP_2: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a peer speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spoken {
    /// HTTP/1.1, or something that is no HTTP.
    Http1,
    Http2,
}

/// A stream whose first bytes were read, and are read again.
pub(super) struct Begun<S> {
    stream: S,
    first: [u8; HTTP_2.len()],
    /// The part of `first` that is still to be read.
    left: (u8, u8),
}

impl<S: AsyncRead + Unpin> Begun<S> {
    /// Waits for the first bytes, as many as it takes.
    ///
    /// # Errors
    /// The stream failed.
    pub(super) async fn read(mut stream: S) -> io::Result<(Spoken, Self)> {
        let mut first = [0; HTTP_2.len()];
        let mut len = 0;
        let spoken = loop {
            let count = stream.read(&mut first[len..]).await?;
            len += count;
            if count == 0 || first[..len] != HTTP_2[..len] {
                break Spoken::Http1;
            }
            if len == HTTP_2.len() {
                break Spoken::Http2;
            }
        };
        let len = u8::try_from(len).unwrap_or(u8::MAX);
        Ok((spoken, Self { stream, first, left: (0, len) }))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Begun<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (from, to) = (usize::from(self.left.0), usize::from(self.left.1));
        if from == to {
            return Pin::new(&mut self.stream).poll_read(context, buf);
        }
        let end = to.min(from + buf.remaining());
        buf.put_slice(&self.first[from..end]);
        self.left.0 = u8::try_from(end).unwrap_or(u8::MAX);
        if buf.remaining() > 0 {
            // What is there already; nothing, an end or an error is found again by the next read.
            let _ = Pin::new(&mut self.stream).poll_read(context, buf);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Begun<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::{Begun, HTTP_2, Spoken};

    #[tokio::test]
    async fn nothing_of_what_a_peer_says_is_lost() {
        let mut frames = HTTP_2.to_vec();
        frames.extend_from_slice(b"and frames");
        let cases: [(&[u8], Spoken); 5] = [
            (b"GET / HTTP/1.1\r\nhost: h\r\nmany: others\r\n\r\n", Spoken::Http1),
            (b"PRI * HTTP/2.0, he said", Spoken::Http1),
            (b"PRI", Spoken::Http1),
            (b"", Spoken::Http1),
            (&frames, Spoken::Http2),
        ];
        for (piece, (said, expected)) in [1, 7, 100].into_iter().flat_map(|piece| cases.map(|case| (piece, case))) {
            let (mut peer, stream) = tokio::io::duplex(64);
            let speaking = async {
                for piece in said.chunks(piece) {
                    peer.write_all(piece).await.unwrap();
                    tokio::task::yield_now().await;
                }
                drop(peer);
            };
            let hearing = async {
                let (spoken, mut stream) = Begun::read(stream).await.unwrap();
                let mut heard = Vec::new();
                stream.read_to_end(&mut heard).await.unwrap();
                (spoken, heard)
            };
            let ((), (spoken, heard)) = tokio::join!(speaking, hearing);
            assert_eq!((spoken, &heard[..]), (expected, said), "in pieces of {piece}");
        }
    }

    #[tokio::test]
    async fn what_follows_the_first_bytes_is_read_with_them() {
        let (mut peer, stream) = tokio::io::duplex(256);
        let said = b"GET / HTTP/1.1\r\nhost: h\r\nmany: others\r\n\r\n";
        peer.write_all(said).await.unwrap();
        let (_, mut stream) = Begun::read(stream).await.unwrap();
        let mut heard = [0; 256];
        assert_eq!(stream.read(&mut heard).await.unwrap(), said.len());
    }
}
