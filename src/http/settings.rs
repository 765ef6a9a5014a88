//! How a server is reached: below which path, through which proxies, from which pages, and how often.

use std::{net::IpAddr, str::FromStr, time::Duration};

use actix_web::{HttpRequest, web};
use ipnet::IpNet;

use super::limits::RateLimit;

/// How a server is reached.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The path that everything is below; empty for none.
    pub base_path: BasePath,
    /// Whose word is taken for where a request comes from.
    pub trusted_proxies: TrustedProxies,
    /// The browser origins whose pages may read answers.
    pub cors_origins: Origins,
    pub rate_limit: RateLimit,
    pub believe_for: BelieveFor,
}

/// How long somebody who listens to events is believed before it is looked again whether they still may.
#[derive(Debug, Clone, Copy)]
pub struct BelieveFor(pub Duration);

impl Default for BelieveFor {
    fn default() -> Self {
        Self(Duration::from_secs(15))
    }
}

/// A path that everything is below, such as `/comments`; empty for none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BasePath(String);

impl BasePath {
    /// Without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BasePath {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = text.trim_end_matches('/');
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
        let parts = path.strip_prefix('/').map(|rest| rest.split('/'));
        let ok = path.is_empty()
            || parts.is_some_and(|mut parts| {
                parts.all(|part| {
                    !part.is_empty() && part != "." && part != ".." && part.chars().all(plain)
                })
            });
        if ok {
            Ok(Self(path.to_owned()))
        } else {
            Err("must be a path such as /comments, of letters, digits, -, _, . and ~")
        }
    }
}

/// Origins of pages: scheme, host, and port where it is not the usual one.
#[derive(Debug, Clone, Default)]
pub struct Origins(Vec<String>);

impl Origins {
    /// Each as browsers send it.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Origins {
    type Err = String;

    /// A list separated by commas, which may be empty.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        listed(text).map(origin).collect::<Result<_, _>>().map(Self)
    }
}

fn origin(text: &str) -> Result<String, String> {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let plain = |host: &str| {
        !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || "/?#*@".contains(c))
    };
    if host.is_some_and(plain) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(format!(
            "{text:?} must be an origin such as https://www.le-soir.example, without a path"
        ))
    }
}

/// The parts of a list separated by commas.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

/// Addresses of proxies that say truly whom they ask for.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl FromStr for TrustedProxies {
    type Err = String;

    /// Addresses and networks separated by commas; the list may be empty.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        listed(text)
            .map(|part| {
                part.parse()
                    .or_else(|_| part.parse::<IpAddr>().map(IpNet::from))
                    .map_err(|_| {
                        format!("{part:?} must be an address or a network, such as 10.0.0.0/8")
                    })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl TrustedProxies {
    fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Where a request comes from. Going back along `X-Forwarded-For` from the one who is connected, the first who is
    /// not a trusted proxy; what stands before that one may be made up.
    fn origin(&self, peer: IpAddr, forwarded: impl DoubleEndedIterator<Item = IpAddr>) -> IpAddr {
        let mut origin = peer;
        for before in forwarded.rev() {
            if !self.trusts(origin) {
                break;
            }
            origin = before;
        }
        origin.to_canonical()
    }
}

/// Where a request comes from, as far as we can trust what is said of it.
pub fn client_address(request: &HttpRequest) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip();
    let trusted = request.app_data::<web::Data<TrustedProxies>>()?;
    let forwarded: Vec<IpAddr> = request
        .headers()
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map_while(|part| part.trim().parse().ok())
        .collect();
    Some(trusted.origin(peer, forwarded.into_iter()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted: TrustedProxies = "10.0.0.0/8, 192.0.2.200".parse().unwrap();
        let origin = |peer, forwarded: &[&str]| {
            trusted.origin(ip(peer), forwarded.iter().map(|text| ip(text)))
        };
        assert_eq!(origin("203.0.113.9", &["192.0.2.1"]), ip("203.0.113.9"));
        assert_eq!(origin("10.0.0.1", &["192.0.2.1"]), ip("192.0.2.1"));
        assert_eq!(
            origin("10.0.0.1", &["1.1.1.1", "192.0.2.1", "10.2.2.2"]),
            ip("192.0.2.1"),
            "what a client put before is not believed"
        );
        assert_eq!(origin("10.0.0.1", &[]), ip("10.0.0.1"));
        assert_eq!(origin("::ffff:10.0.0.1", &["192.0.2.1"]), ip("192.0.2.1"));
    }

    #[test]
    fn a_base_path_is_plain() {
        assert_eq!(
            "/comments/".parse::<BasePath>().unwrap().as_str(),
            "/comments"
        );
        assert_eq!("/".parse::<BasePath>().unwrap().as_str(), "");
        for bad in ["comments", "/a b", "/a/../b", "/{key}", "//a"] {
            assert!(bad.parse::<BasePath>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_origin_has_no_path() {
        let origins: Origins = "https://www.le-soir.example,http://LOCALHOST:3000,"
            .parse()
            .unwrap();
        assert!(
            origins
                .iter()
                .eq(["https://www.le-soir.example", "http://localhost:3000"])
        );
        assert!("".parse::<Origins>().unwrap().is_empty());
        for bad in [
            "*",
            "https://",
            "https://a/b",
            "le-soir.example",
            "https://*.a",
        ] {
            assert!(bad.parse::<Origins>().is_err(), "{bad:?}");
        }
        assert!("10.0.0".parse::<TrustedProxies>().is_err());
    }
}
