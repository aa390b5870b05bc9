//! The certificates that an end shows (RFC 5246 §7.4.2, RFC 5280).
//!
//! Nothing is verified: a name, an issuer and a digest are what tells one certificate from
//! another, and that is what a substitution is known by.

use sha2::{Digest, Sha256};
use x509_parser::{
    certificate::X509Certificate,
    extensions::{GeneralName, ParsedExtension},
    prelude::FromDer,
    time::ASN1Time,
};

use super::cursor::Cursor;
use crate::protocol::text;

/// The chain of one certificate message, the end's own certificate first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateChain {
    /// At most 16.
    pub certificates: Vec<CertificateInfo>,
    /// Whether the message was whole and all its certificates are told.
    pub complete: bool,
}

/// One certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateInfo {
    /// SHA-256 of its DER form, in lower-case hexadecimal.
    pub sha256: String,
    /// Length of its DER form, in bytes.
    pub der_len: usize,
    /// What it says; `None` where it is no certificate that can be read.
    pub claims: Option<CertificateClaims>,
}

/// What a certificate says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateClaims {
    /// As `C=US, O=Example, CN=example.org`, at most 1,024 bytes.
    pub subject: String,
    /// In the same form.
    pub issuer: String,
    /// Whether subject and issuer are the same, byte by byte; the signature is not checked.
    pub self_signed: bool,
    /// As `2026-11-23T00:00:00Z`.
    pub not_before: String,
    /// In the same form.
    pub not_after: String,
    /// Its alternative names, host names and addresses, at most 64.
    pub names: Vec<String>,
}

impl CertificateChain {
    /// Reads a certificate message, as far as it goes.
    pub(super) fn read(body: &[u8], complete: bool) -> Self {
        let mut cursor = Cursor::new(body);
        let len = cursor.u24().unwrap_or(0) as usize;
        let mut list = cursor.clip(len);
        let mut certificates = Vec::new();
        while let Some(len) = list.u24() {
            let der = list.clip(len as usize);
            if list.clipped || certificates.len() == CERTIFICATES_MAX {
                return Self { certificates, complete: false };
            }
            certificates.push(CertificateInfo::read(der.rest()));
        }
        Self { certificates, complete: complete && !cursor.clipped }
    }
}

impl CertificateInfo {
    fn read(der: &[u8]) -> Self {
        Self {
            sha256: text::hex(&Sha256::digest(der)),
            der_len: der.len(),
            claims: X509Certificate::from_der(der)
                .ok()
                .map(|(_, certificate)| CertificateClaims::read(&certificate)),
        }
    }
}

impl CertificateClaims {
    fn read(certificate: &X509Certificate<'_>) -> Self {
        let (subject, issuer) = (certificate.subject(), certificate.issuer());
        let validity = certificate.validity();
        Self {
            subject: name_text(&subject.to_string()),
            issuer: name_text(&issuer.to_string()),
            self_signed: subject.as_raw() == issuer.as_raw(),
            not_before: time_text(validity.not_before),
            not_after: time_text(validity.not_after),
            names: alternative_names(certificate),
        }
    }
}

fn name_text(name: &str) -> String {
    text::lossy(name.as_bytes(), NAME_BYTES_MAX)
}

fn alternative_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let names = certificate.extensions().iter().find_map(|e| match e.parsed_extension() {
        ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
        _ => None,
    });
    names.into_iter().flatten().filter_map(general_name).take(NAMES_MAX).collect()
}

fn general_name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(text::host_name(name.as_bytes()).text),
        GeneralName::IPAddress(bytes) => address_text(bytes),
        _ => None,
    }
}

fn address_text(bytes: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(bytes).map(std::net::IpAddr::from);
    let v6 = || <[u8; 16]>::try_from(bytes).map(std::net::IpAddr::from);
    v4.or_else(|_| v6()).ok().map(|address| address.to_string())
}

fn time_text(time: ASN1Time) -> String {
    let t = time.to_datetime();
    let (year, month, day) = (t.year(), u8::from(t.month()), t.day());
    let (hour, minute, second) = (t.hour(), t.minute(), t.second());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Real chains have two to five.
const CERTIFICATES_MAX: usize = 16;

/// Of the hundreds that a content network's certificate may have.
const NAMES_MAX: usize = 64;

const NAME_BYTES_MAX: usize = 1024;
