//! What an application protocol told, in the objects of EVE.

use serde::Serialize;

use crate::evidence::{
    DnsExchange, Finding, FlowRecord, HostSource, HttpExchange, QuicNames, TlsNames,
};

/// What the application protocol told.
#[derive(Default, Serialize)]
pub(super) struct App<'a> {
    #[serde(rename = "app_proto")]
    proto: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<Http<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<Tls<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quic: Option<Quic<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dns: Option<Dns<'a>>,
}

impl<'a> App<'a> {
    pub(super) fn of_flow(flow: &'a FlowRecord) -> Self {
        Self::named(flow, flow.http.first(), flow.dns.first())
    }

    /// The exchange that the finding is about; without a flow, the name that the finding has.
    pub(super) fn of_finding(finding: &'a Finding, flow: Option<&'a FlowRecord>) -> Self {
        let Some(flow) = flow else {
            return Self::by_name(finding);
        };
        let host = finding.host.as_deref();
        let trigger = finding.trigger_frame;
        let http = flow
            .http
            .iter()
            .find(|http| trigger.is_some() && http.frame == trigger)
            .or_else(|| flow.http.iter().find(|http| http.host.as_deref() == host))
            .or(flow.http.first());
        let dns = flow
            .dns
            .iter()
            .find(|dns| trigger.is_some() && dns.frame == trigger)
            .or_else(|| flow.dns.iter().find(|dns| Some(dns.name.as_str()) == host))
            .or(flow.dns.first());
        Self::named(flow, http, dns)
    }

    fn named(
        flow: &'a FlowRecord,
        http: Option<&'a HttpExchange>,
        dns: Option<&'a DnsExchange>,
    ) -> Self {
        let proto = match flow {
            FlowRecord { tls: Some(_), .. } => "tls",
            FlowRecord { quic: Some(_), .. } => "quic",
            _ if http.is_some() => "http",
            _ if dns.is_some() => "dns",
            // Suricata's word for "looked, and knows none".
            _ => "failed",
        };
        Self {
            proto,
            http: http.map(Http::of),
            tls: flow.tls.as_ref().map(Tls::of),
            quic: flow.quic.as_ref().map(Quic::of),
            dns: dns.map(Dns::of),
        }
    }

    fn by_name(finding: &'a Finding) -> Self {
        let name = finding.host.as_deref();
        let none = Self { proto: "failed", ..Self::default() };
        match finding.host_source {
            Some(HostSource::Sni) => {
                Self { proto: "tls", tls: Some(Tls { sni: name, ..Tls::default() }), ..none }
            }
            Some(HostSource::Http) => {
                let status = finding.block_page.as_ref().and_then(|page| page.status);
                let http = Http { hostname: name, status, ..Http::default() };
                Self { proto: "http", http: Some(http), ..none }
            }
            Some(HostSource::Quic) => {
                Self { proto: "quic", quic: Some(Quic { sni: name, version: None }), ..none }
            }
            Some(HostSource::Dns) => {
                let query = Query { rrname: name.unwrap_or_default(), ..Query::default() };
                Self { proto: "dns", dns: Some(Dns { query: [query] }), ..none }
            }
            Some(HostSource::Correlation) | None => none,
        }
    }
}

#[derive(Default, Serialize)]
struct Http<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    hostname: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(rename = "http_method")]
    method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
}

impl<'a> Http<'a> {
    fn of(exchange: &'a HttpExchange) -> Self {
        Self {
            hostname: exchange.host.as_deref(),
            url: exchange.target.as_deref(),
            method: exchange.method.as_deref(),
            status: exchange.status,
        }
    }
}

/// Without `fingerprint`: EVE's is a SHA-1, ours a SHA-256 (in the record).
#[derive(Default, Serialize)]
struct Tls<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuerdn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sni: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    client_alpns: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    ja4: Option<&'a str>,
}

impl<'a> Tls<'a> {
    fn of(names: &'a TlsNames) -> Self {
        Self {
            subject: names.certificate_subject.as_deref(),
            issuerdn: names.certificate_issuer.as_deref(),
            sni: names.sni.as_deref(),
            version: names.server_version.as_deref(),
            client_alpns: &names.alpn,
            ja4: names.ja4.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct Quic<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sni: Option<&'a str>,
}

impl<'a> Quic<'a> {
    fn of(names: &'a QuicNames) -> Self {
        Self { version: Some(&names.version), sni: names.sni.as_deref() }
    }
}

#[derive(Serialize)]
struct Dns<'a> {
    query: [Query<'a>; 1],
}

#[derive(Default, Serialize)]
struct Query<'a> {
    #[serde(rename = "type")]
    kind: QueryType,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u16>,
    rrname: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rrtype: Option<&'a str>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "lowercase")]
enum QueryType {
    #[default]
    Query,
}

impl<'a> Dns<'a> {
    fn of(exchange: &'a DnsExchange) -> Self {
        let query = Query {
            kind: QueryType::Query,
            id: Some(exchange.id),
            rrname: &exchange.name,
            rrtype: Some(&exchange.qtype),
        };
        Self { query: [query] }
    }
}
