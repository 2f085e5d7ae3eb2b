//! Networks, and which of them are out of bounds.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::config::OutboundConfig;
use super::error::BadNetwork;
use crate::settings::{Kind, SettingKind};

/// Bits of an address, and how many of IPv4's stand in front when it is written as IPv6.
const BITS: u8 = 128;
const BITS_BEFORE_V4: u8 = 96;

/// The prefix under which translators (NAT64) carry IPv4 addresses (RFC 6052, section 2.1).
const TRANSLATED: Network = Network { bits: 0x0064_ff9b << 96, prefix: 96 };

/// A range of addresses: an address and how many leading bits of it count.
///
/// IPv4 is kept as the IPv6 addresses that are mapped to it, so that both ways of writing an address are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    bits: u128,
    prefix: u8,
}

impl Network {
    /// Whether the address lies in it.
    pub fn contains(self, address: IpAddr) -> bool {
        self.contains_bits(bits_of(address))
    }

    fn contains_bits(self, bits: u128) -> bool {
        let shift = u32::from(BITS - self.prefix);
        (self.bits ^ bits).checked_shr(shift).unwrap_or(0) == 0
    }
}

impl FromStr for Network {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let bad = || BadNetwork(text.to_owned());
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let address: IpAddr = address.trim().parse().map_err(|_| bad())?;
        let before = if address.is_ipv4() { BITS_BEFORE_V4 } else { 0 };
        let prefix = match length {
            Some(length) => length.trim().parse::<u8>().ok().and_then(|length| length.checked_add(before)),
            None => Some(BITS),
        };
        let prefix = prefix.filter(|prefix| *prefix <= BITS).ok_or_else(bad)?;
        let bits = match address {
            IpAddr::V4(address) => mapped(address),
            IpAddr::V6(address) => address.to_bits(),
        };
        Ok(Self { bits, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = Ipv6Addr::from_bits(self.bits);
        match address.to_ipv4_mapped().filter(|_| self.prefix >= BITS_BEFORE_V4) {
            Some(address) => write!(f, "{address}/{}", self.prefix - BITS_BEFORE_V4),
            None => write!(f, "{address}/{}", self.prefix),
        }
    }
}

impl TryFrom<String> for Network {
    type Error = BadNetwork;

    fn try_from(text: String) -> Result<Self, BadNetwork> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl SettingKind for Network {
    fn kind() -> Kind {
        Kind::Text
    }
}

fn mapped(address: Ipv4Addr) -> u128 {
    address.to_ipv6_mapped().to_bits()
}

fn bits_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => mapped(address),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// Which addresses and ports may be connected to.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    denied: Vec<Network>,
    allowed: Vec<Network>,
    ports: Vec<u16>,
}

impl Bounds {
    pub(super) fn new(config: &OutboundConfig) -> Self {
        Self {
            denied: config.denied_networks.clone(),
            allowed: config.allowed_networks.clone(),
            ports: config.allowed_ports.clone(),
        }
    }

    pub(super) fn is_port_allowed(&self, port: u16) -> bool {
        self.ports.is_empty() || self.ports.contains(&port)
    }

    /// An address that a translator would turn into an IPv4 address is judged as that one too.
    pub(super) fn is_address_allowed(&self, address: IpAddr) -> bool {
        let inside = match address {
            IpAddr::V6(address) if TRANSLATED.contains(IpAddr::V6(address)) => Some(embedded(address)),
            _ => None,
        };
        self.is_one_allowed(address) && inside.is_none_or(|inside| self.is_one_allowed(IpAddr::V4(inside)))
    }

    fn is_one_allowed(&self, address: IpAddr) -> bool {
        let lists = |networks: &[Network]| networks.iter().any(|network| network.contains(address));
        lists(&self.allowed) || !lists(&self.denied)
    }
}

/// The last 32 bits as an IPv4 address.
fn embedded(address: Ipv6Addr) -> Ipv4Addr {
    let [.., a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::{Bounds, Network};
    use crate::outbound::OutboundConfig;

    fn is_allowed(bounds: &Bounds, address: &str) -> bool {
        bounds.is_address_allowed(address.parse().unwrap())
    }

    #[test]
    fn only_the_public_internet_is_reached_by_default() {
        let bounds = Bounds::new(&OutboundConfig::default());
        let inside = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.0.192",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001:0:1::",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "::ffff:0:7f00:1",
        ];
        for address in inside {
            assert!(!is_allowed(&bounds, address), "{address}");
        }
        for address in ["1.1.1.1", "172.32.0.1", "192.167.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
        {
            assert!(is_allowed(&bounds, address), "{address}");
        }
    }

    #[test]
    fn exceptions_and_ports_are_as_they_are_set() {
        let config = OutboundConfig {
            allowed_networks: ["127.0.0.1", "fd00::/16"].map(|text| text.parse().unwrap()).to_vec(),
            allowed_ports: vec![80, 443],
            ..OutboundConfig::default()
        };
        let bounds = Bounds::new(&config);
        assert!(is_allowed(&bounds, "127.0.0.1") && is_allowed(&bounds, "::ffff:127.0.0.1"));
        assert!(is_allowed(&bounds, "fd00:1::1") && !is_allowed(&bounds, "fd01::1"));
        assert!(!is_allowed(&bounds, "127.0.0.2"));
        assert!(bounds.is_port_allowed(443) && !bounds.is_port_allowed(22));
    }

    #[test]
    fn what_is_no_network_is_said_to_be_none() {
        for bad in ["", "localhost", "10.0.0.0/33", "10.0.0.0/x", "::/129", "10.0.0/8"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
        for text in ["10.0.0.0/8", "1.2.3.4/32", "fc00::/7", "::ffff:0.0.0.0/95"] {
            let network: Network = text.parse().unwrap();
            assert_eq!(network.to_string().parse::<Network>(), Ok(network), "{text}");
        }
        assert!("::/0".parse::<Network>().unwrap().contains("1.2.3.4".parse().unwrap()));
    }
}
