//! The command line.
//!
//! It parses arguments, asks for passwords, and prints; what a command does stands elsewhere.

mod arguments;
mod output;
mod password;
mod run;

pub use run::run;
