//! The errors of storage: one closed enum for reading and opening, one for committing.

use hearth_protocol::Lane;

/// Why a key or a value could not be read back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The bytes end before the key does.
    #[error("the key is too short")]
    ShortKey,
    /// A zero byte inside text is followed by neither the escape nor the end mark.
    #[error("the key has a bad escape")]
    BadEscape,
    /// Bytes are left over after the last part.
    #[error("{0} bytes are left over")]
    TrailingBytes(usize),
    /// Text is not UTF-8, or an identifier does not have its form.
    #[error("not a valid {0}")]
    BadText(&'static str),
    /// The value's version is one this program does not know.
    #[error("value version {found}, newest known is {newest}")]
    UnknownVersion {
        /// First byte of the value; 0 stands for an empty value.
        found: u8,
        /// The version that is written today.
        newest: u8,
    },
    /// The value does not have the form its version says.
    #[error("bad value: {0}")]
    BadValue(String),
}

/// Why storage could not be opened or read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StorageError {
    /// The disk or the engine reported an error.
    #[error("storage: {0}")]
    Io(String),
    /// A row does not decode: the program never wrote it so.
    #[error("corrupt row in table {table}, key {key}: {reason}")]
    Corrupt {
        /// Name of the table.
        table: &'static str,
        /// The key in hexadecimal, without the table's number.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The engine is closed or its threads are gone.
    #[error("storage is closed")]
    Down,
    /// Another process has the database open.
    #[error("the database in {path} is in use by another process ({reason})")]
    InUse {
        /// The data directory.
        path: String,
        /// What the engine said.
        reason: String,
    },
    /// The database belongs to another server name.
    #[error("this database belongs to the server {found}, the configuration names {expected}")]
    ForeignDatabase {
        /// Name in the database.
        found: String,
        /// Name in the configuration.
        expected: String,
    },
    /// The database was written by a newer program.
    #[error("this database has schema {found}, this program knows schemas up to {known}: run a newer program")]
    NewerSchema {
        /// Schema number in the database.
        found: u32,
        /// Newest schema number of this program.
        known: u32,
    },
    /// The number of lanes is fixed when a database is made.
    #[error(
        "this database was made with {found} lanes, the configuration asks for {asked}: the number cannot be changed later"
    )]
    LanesFixed {
        /// Number in the database.
        found: u16,
        /// Number asked for.
        asked: u16,
    },
    /// A setting or a directory given by the caller cannot be used.
    #[error("{0}")]
    Refused(String),
    /// A write that opening or migrating needs did not succeed.
    #[error("storage: a write failed: {0}")]
    Write(#[from] CommitError),
}

/// Why a transaction was not applied, as the domain sees it. Nothing of it is then visible,
/// except with [`CommitError::Unknown`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// An assertion does not hold any more: read again and build again.
    #[error("assertion {assert} does not hold")]
    Conflict {
        /// Which assertion, counted in the order in which they were made.
        assert: usize,
    },
    /// Another process has taken the lane: drop what is cached of it.
    #[error("lane {lane:?} has another owner")]
    Fenced {
        /// The lane that was lost.
        lane: Lane,
    },
    /// A key, a value, or the whole transaction is larger than every engine bears.
    #[error("the transaction is too large")]
    TooLarge,
    /// Perhaps applied; and it holds operations that must not be submitted twice.
    #[error("the outcome of the transaction is unknown")]
    Unknown,
    /// Storage takes no writes now, for example because the disk is full. Not applied.
    #[error("storage takes no writes: {0}")]
    Down(String),
    /// A plain write or assertion on a lane that is not the transaction's own.
    #[error("a plain write names a row of another lane")]
    ForeignLane,
}
