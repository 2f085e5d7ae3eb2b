//! The sections of the configuration that belong to the server itself.
//!
//! Their doc comments are the manual. A section of another crate stands in that crate, and is listed in `mod.rs`.

use std::path::PathBuf;

use hearth_homeserver::{choices, settings};

settings! {
    /// Who this server is, and where it keeps its data.
    pub struct ServerConfig {
        /// The server name: the part after the colon in user ids, for instance `example.org`.
        /// It is written into the database at the first start and can never be changed afterwards.
        /// Required.
        pub name: Option<String> = None,
        /// The folder with everything that the server keeps: database, signing key, admin socket.
        /// It is made when it is missing, readable by its owner only.
        pub data: PathBuf = PathBuf::from("/var/lib/hearth"),
        /// Registration files of application services (bridges, bots), in YAML; a folder stands for the files in it.
        pub appservices: Vec<PathBuf> = Vec::new(),
        /// Threads that serve requests; 0 means one for each processor core.
        pub threads: u16 = 0,
        /// How long a stop waits for requests under way, in milliseconds, before it cuts them off.
        /// The whole stop takes about a second longer at most.
        pub stop_grace_ms: u32 = 1_500,
    }
}

settings! {
    /// Where clients and other servers reach this server.
    /// An address is `IP:PORT`, `localhost:PORT`, or `unix:PATH`. HTTP/1.1 and HTTP/2 are spoken on each.
    pub struct ListenersConfig {
        /// Addresses without TLS: for a reverse proxy, or for a trial on one machine.
        pub addresses: Vec<String> = vec!["127.0.0.1:8008".to_owned()],
        /// Addresses with TLS; they need the `tls` section.
        pub tls_addresses: Vec<String> = Vec::new(),
        /// Permissions of Unix sockets, in octal.
        pub unix_mode: String = "660".to_owned(),
        /// Connections at a time, over all addresses. Further ones wait in the kernel's queue.
        pub connections_max: u32 = 10_000,
        /// Connections at a time from one IP address. Loopback and Unix sockets are not counted.
        pub connections_per_address_max: u32 = 1_000,
        /// How long a client may take to send the head of a request, in milliseconds.
        /// An idle connection is closed after it, too.
        pub header_timeout_ms: u32 = 60_000,
        /// How long a client may pause within the body of a request, in milliseconds.
        pub body_timeout_ms: u32 = 30_000,
        /// How long a TLS handshake may take, in milliseconds.
        pub handshake_timeout_ms: u32 = 10_000,
        /// Requests at a time on one HTTP/2 connection.
        pub http2_streams_max: u32 = 200,
    }
}

settings! {
    /// The certificate for `listeners.tls_addresses`.
    /// Changed files are taken over while running; files that do not fit together are reported, and the old ones stay in use.
    pub struct TlsConfig {
        /// PEM file with the certificate and its chain.
        pub certificate: Option<PathBuf> = None,
        /// PEM file with the private key of the certificate.
        pub key: Option<PathBuf> = None,
        /// How often the two files are looked at, in milliseconds.
        pub reload_check_ms: u32 = 5_000,
    }
}

settings! {
    /// The chat that the server itself serves to browsers.
    pub struct WebConfig {
        /// Whether it is served. Without it, `/` says that Hearth runs here, and how to connect a client.
        pub ui: bool = true,
        /// The path below which it is served, for instance `/` or `/chat`.
        pub path: String = "/".to_owned(),
    }
}

choices! {
    /// What an acknowledgement means.
    pub enum Durability {
        /// What was acknowledged is on disk, and survives a power cut.
        Sync = "sync",
        /// What was acknowledged is with the operating system: it survives a crash of the server, not of the machine. Faster on slow disks.
        Os = "os",
    }
}

settings! {
    /// The embedded database.
    pub struct StorageConfig {
        /// What an acknowledgement means.
        pub durability: Durability = Durability::Sync,
        /// Memory for blocks read from disk, in bytes. It is taken only as it is used.
        pub block_cache_bytes: u64 = 128 << 20,
        /// Memory for writes that are not yet in a table file, over all tables, in bytes.
        pub write_buffer_bytes: u64 = 64 << 20,
        /// Into how many lanes rooms and users are divided. Fixed when the database is made; 1 suits a single machine.
        pub lanes: u16 = 1,
    }
}

choices! {
    /// How a log line looks.
    pub enum LogFormat {
        /// For people.
        Text = "text",
        /// One JSON object a line, for machines.
        Json = "json",
    }
}

settings! {
    /// Logs go to standard error. They hold no tokens, passwords or message contents.
    pub struct LoggingConfig {
        /// How a log line looks.
        pub format: LogFormat = LogFormat::Text,
        /// What is logged: a level (`error`, `warn`, `info`, `debug`, `trace`), or a list such as `info,hearth_api=debug`.
        pub filter: String = "info".to_owned(),
    }
}

settings! {
    /// Figures for Prometheus, and probes for an orchestrator. Not for the public: anyone who reaches the address can read them.
    pub struct MetricsConfig {
        /// The address that serves `/metrics`, `/health` (the process lives) and `/ready` (it can serve requests).
        /// Same forms as in `listeners`. Off while unset.
        pub address: Option<String> = None,
    }
}
