//! TXT records of issuers' domains, asked of the resolver that the verifier configured. Without one, nobody is asked: DNS
//! tells whoever runs the resolver which issuers are verified.
//!
//! An answer counts as the resolver's word: whether it was signed (DNSSEC) is not claimed. A resolver that is reached
//! over HTTPS, or that runs on the own machine, keeps others on the way from giving the answer.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
    time::Duration,
};

use hickory_resolver::{
    Resolver, TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig},
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    proto::rr::RData,
};
use reqwest::Url;
use testamur_core::checked::Missing;

/// One attempt; there are two.
const TIMEOUT: Duration = Duration::from_secs(3);
/// The longest record that is looked at: an account takes 61 characters.
const LONGEST_RECORD: usize = 1024;

/// Which resolver is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsServer {
    /// The system's: `system`.
    System,
    /// At an address, over UDP and TCP: `9.9.9.9`, `127.0.0.1:5353`.
    At(SocketAddr),
    /// Over HTTPS (RFC 8484): `https://dns.example/dns-query`.
    Https(Url),
}

impl FromStr for DnsServer {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a resolver is written like system, 9.9.9.9, [::1]:53 or https://dns.example/dns-query";
        if text == "system" {
            return Ok(Self::System);
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::At(SocketAddr::new(address, 53)));
        }
        if let Ok(socket) = text.parse() {
            return Ok(Self::At(socket));
        }
        let url: Url = text.parse().map_err(|_| WRONG)?;
        if url.scheme() == "https" && url.query().is_none() { Ok(Self::Https(url)) } else { Err(WRONG) }
    }
}

/// A resolver.
pub struct Dns(TokioResolver);

impl Dns {
    /// Gets ready to ask. Only a resolver that is named by its host makes a request: for its address.
    pub async fn connect(server: &DnsServer) -> Result<Self, Missing> {
        let failed = |detail: String| Missing::Unreachable { what: "the resolver for DNS".to_owned(), detail };
        let provider = TokioRuntimeProvider::default;
        let mut builder = match server {
            DnsServer::System => Resolver::builder(provider()).map_err(|error| failed(error.to_string()))?,
            DnsServer::At(socket) => Resolver::builder_with_config(at(*socket), provider()),
            DnsServer::Https(url) => {
                let config = over_https(url).await.map_err(|error| failed(error.to_string()))?;
                Resolver::builder_with_config(config, provider())
            }
        };
        let options = builder.options_mut();
        (options.timeout, options.attempts) = (TIMEOUT, 2);
        options.use_hosts_file = ResolveHosts::Never;
        // Letters in either case at random: whoever answers without having seen the question must guess them too.
        options.case_randomization = true;
        builder.build().map(Self).map_err(|error| failed(error.to_string()))
    }

    /// The texts at a name; none where there is no such name.
    pub async fn texts(&self, name: &str) -> Result<Vec<String>, Missing> {
        // The last dot keeps the resolver from trying it below the own domain as well.
        match self.0.txt_lookup(format!("{name}.")).await {
            Ok(answer) => Ok(answer.answers().iter().filter_map(|record| text(&record.data)).collect()),
            Err(NetError::Dns(DnsError::NoRecordsFound(_))) => Ok(Vec::new()),
            Err(error) => {
                Err(Missing::Unreachable { what: format!("the DNS record {name}"), detail: error.to_string() })
            }
        }
    }
}

fn text(data: &RData) -> Option<String> {
    let RData::TXT(text) = data else { return None };
    // One record is a sequence of strings, because each is of 255 bytes at most.
    let bytes = text.txt_data.concat();
    (bytes.len() <= LONGEST_RECORD).then(|| String::from_utf8(bytes).ok())?
}

fn at(socket: SocketAddr) -> ResolverConfig {
    let with_port = |mut connection: ConnectionConfig| {
        connection.port = socket.port();
        connection
    };
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(with_port).to_vec();
    ResolverConfig::from_name_servers(vec![NameServerConfig::new(socket.ip(), true, connections)])
}

async fn over_https(url: &Url) -> std::io::Result<ResolverConfig> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(443);
    let server = |socket: SocketAddr| {
        let mut connection = ConnectionConfig::https(host.into(), Some(url.path().into()));
        connection.port = port;
        NameServerConfig::new(socket.ip(), true, vec![connection])
    };
    let sockets = tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await?;
    Ok(ResolverConfig::from_name_servers(sockets.map(server).collect()))
}

impl std::fmt::Debug for Dns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dns")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolver_is_named_in_four_ways() {
        assert_eq!("system".parse(), Ok(DnsServer::System));
        assert_eq!("9.9.9.9".parse(), Ok(DnsServer::At("9.9.9.9:53".parse().unwrap())));
        assert_eq!("[::1]:5353".parse(), Ok(DnsServer::At("[::1]:5353".parse().unwrap())));
        assert!(matches!("https://dns.example/dns-query".parse(), Ok(DnsServer::Https(_))));
        for wrong in ["", "dns.example", "http://dns.example/dns-query", "9.9.9"] {
            assert!(wrong.parse::<DnsServer>().is_err(), "{wrong}");
        }
    }
}
