//! The section `[outbound]` of the configuration.

use super::network::Network;
use crate::settings;

/// Networks that are not the public internet: the special-purpose registries of IANA for IPv4 and IPv6, forms of
/// IPv6 that carry IPv4 inside, multicast, and the metadata services of clouds.
const DENIED_NETWORKS: [&str; 30] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
    "::ffff:0:0:0/96",
];

settings! {
    /// Requests that this server makes to others on behalf of its users.
    pub struct OutboundConfig {
        /// Networks to which no connection is made, whatever name leads there. By default all that are
        /// not the public internet.
        pub denied_networks: Vec<Network> = DENIED_NETWORKS.map(|text| text.parse().expect("a network")).to_vec(),
        /// Networks and addresses that are reached although `denied_networks` has them.
        pub allowed_networks: Vec<Network> = Vec::new(),
        /// The only ports to which connections are made; empty for all.
        pub allowed_ports: Vec<u16> = Vec::new(),
        /// How long making a connection may take, in milliseconds.
        pub connect_timeout_ms: u64 = 5_000,
    }
}
