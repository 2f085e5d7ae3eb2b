//! Why a socket is closed.

/// A reason with its code (`docs/websocket.md`, "Closing").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// A frame that is none, or one that is not allowed now; with what is wrong with it.
    BadFrame(&'static str),
    /// The token was refused, was revoked, or ran out.
    TokenRefused,
    /// A token of another user or device.
    OtherDevice,
    /// Nobody said in time who is there.
    NoAuth,
    /// The same page or process has a newer socket.
    Replaced,
    /// A frame beyond the limit.
    TooLarge,
    /// Bodies were left unacknowledged for too long.
    TooSlow,
    /// The server stops.
    Restart,
    /// The server could not read its tables.
    Failure,
}

impl Close {
    /// The code of the close frame.
    pub fn code(self) -> u16 {
        match self {
            Self::BadFrame(_) => 4400,
            Self::TokenRefused => 4401,
            Self::OtherDevice => 4403,
            Self::NoAuth => 4408,
            Self::Replaced => 4409,
            Self::TooLarge => 4413,
            Self::TooSlow => 4429,
            Self::Restart => 1012,
            Self::Failure => 1011,
        }
    }

    /// In words, for whoever writes the client; at most 123 bytes.
    pub fn reason(self) -> &'static str {
        match self {
            Self::BadFrame(what) => what,
            Self::TokenRefused => "The token is not valid any more.",
            Self::OtherDevice => "The token is another device's.",
            Self::NoAuth => "No token came in time.",
            Self::Replaced => "A newer socket has taken over.",
            Self::TooLarge => "The frame is too large.",
            Self::TooSlow => "Nothing was acknowledged for too long.",
            Self::Restart => "The server stops.",
            Self::Failure => "Internal server error.",
        }
    }
}
