//! What is asked for.

use hearth_protocol::Event;

use crate::words::query_words;

/// A part of an event in which is searched. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Field {
    /// `content.body` of messages.
    Body = 0,
    /// `content.name` of `m.room.name`.
    Name = 1,
    /// `content.topic` of `m.room.topic`.
    Topic = 2,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Body, Self::Name, Self::Topic];

    /// The type of the events that have it.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Body => "m.room.message",
            Self::Name => "m.room.name",
            Self::Topic => "m.room.topic",
        }
    }

    /// The field that an event has.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        let field = Self::ALL.into_iter().find(|field| field.kind() == event.kind)?;
        let fits = match field {
            Self::Body => !event.is_state(),
            Self::Name | Self::Topic => event.state_key.as_deref() == Some(""),
        };
        fits.then_some(field)
    }
}

/// A question: all words have to be in one field of an event.
#[derive(Clone, Debug)]
pub struct Query {
    /// Folded words.
    pub words: Vec<String>,
    /// Where to look.
    pub fields: Vec<Field>,
}

impl Query {
    /// Takes a question apart.
    #[must_use]
    pub fn new(text: &str, fields: &[Field]) -> Self {
        Self { words: query_words(text), fields: fields.to_vec() }
    }
}
