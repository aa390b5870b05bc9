//! The numbers of TLS and their names in the registries.

use std::fmt;

use tls_parser::TlsCipherSuite;

/// A protocol version; printed as `TLS 1.3`, unknown ones as `0x7a7b`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TlsVersion(pub u16);

impl TlsVersion {
    /// TLS 1.3 (RFC 8446).
    pub const TLS13: Self = Self(0x0304);
    /// TLS 1.2 (RFC 5246).
    pub const TLS12: Self = Self(0x0303);
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0x0002 => f.write_str("SSL 2.0"),
            0x0300 => f.write_str("SSL 3.0"),
            0x0301 => f.write_str("TLS 1.0"),
            0x0302 => f.write_str("TLS 1.1"),
            0x0303 => f.write_str("TLS 1.2"),
            0x0304 => f.write_str("TLS 1.3"),
            0x7f00..=0x7fff => write!(f, "TLS 1.3 draft {}", self.0 & 0xff),
            other => write!(f, "{other:#06x}"),
        }
    }
}

/// A cipher suite; printed as `TLS_AES_128_GCM_SHA256`, unknown ones as `0x7a7b`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CipherSuite(pub u16);

impl fmt::Display for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match TlsCipherSuite::from_id(self.0) {
            Some(suite) => f.write_str(suite.name),
            None => write!(f, "{:#06x}", self.0),
        }
    }
}

/// Whether a number is one that clients send to keep servers tolerant (RFC 8701).
pub(super) const fn is_grease(number: u16) -> bool {
    number & 0x0f0f == 0x0a0a && number >> 8 == number & 0xff
}

/// The description of an alert (RFC 8446 §6, and the registry for older ones).
pub(super) const fn alert_name(code: u8) -> &'static str {
    match code {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        21 => "decryption_failed",
        22 => "record_overflow",
        30 => "decompression_failure",
        40 => "handshake_failure",
        41 => "no_certificate",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        60 => "export_restriction",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension",
        110 => "unsupported_extension",
        111 => "certificate_unobtainable",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        114 => "bad_certificate_hash_value",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        121 => "ech_required",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_names() {
        assert_eq!(TlsVersion(0x0304).to_string(), "TLS 1.3");
        assert_eq!(TlsVersion(0x0301).to_string(), "TLS 1.0");
        assert_eq!(TlsVersion(0x0300).to_string(), "SSL 3.0");
        assert_eq!(TlsVersion(0x7f1c).to_string(), "TLS 1.3 draft 28");
        assert_eq!(TlsVersion(0xfefd).to_string(), "0xfefd");
        assert_eq!(CipherSuite(0x1301).to_string(), "TLS_AES_128_GCM_SHA256");
        assert_eq!(CipherSuite(0xeeee).to_string(), "0xeeee");
    }

    #[test]
    fn grease_is_sixteen_numbers() {
        let all: Vec<u16> = (0..=u16::MAX).filter(|&n| is_grease(n)).collect();
        assert_eq!(all.len(), 16);
        assert_eq!((all[0], all[15]), (0x0a0a, 0xfafa));
    }
}
