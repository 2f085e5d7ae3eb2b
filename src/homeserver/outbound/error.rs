//! Why nothing was fetched.

use thiserror::Error;

/// A setting that should be a network is none.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("`{0}` is no network: write an address, or an address, a slash and how many bits of it are the network's")]
pub struct BadNetwork(pub String);

/// Why a request came to nothing.
#[derive(Debug, Error)]
pub enum FetchError {
    /// Not an `http` or `https` URL with a host, or one with a user name.
    #[error("not a URL that is fetched")]
    BadUrl,
    /// The address, the port or the URL is out of bounds, here or behind a redirect.
    #[error("out of bounds")]
    Denied,
    /// One redirect after another.
    #[error("too many redirects")]
    TooManyRedirects,
    /// The other server answered with an error.
    #[error("the answer is {0}")]
    Status(u16),
    /// The answer is longer than allowed.
    #[error("the answer is too long")]
    TooLarge,
    /// It took too long.
    #[error("no answer in time")]
    TimedOut,
    /// No such name, no connection, or an answer that makes no sense.
    #[error("no answer: {0}")]
    Failed(String),
}
