//! Numbers and their names in the registries (RFC 6895).

use std::fmt;

/// The type of a record or a question.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct RecordType(pub u16);

impl RecordType {
    /// An IPv4 address.
    pub const A: Self = Self(1);
    /// Another name for the owner.
    pub const CNAME: Self = Self(5);
    /// Text.
    pub const TXT: Self = Self(16);
    /// An IPv6 address.
    pub const AAAA: Self = Self(28);
    /// Another name for all below the owner (RFC 6672).
    pub const DNAME: Self = Self(39);
    /// The pseudo-record of EDNS (RFC 6891).
    pub const OPT: Self = Self(41);
    /// A signature (RFC 4034); stands beside what it signs.
    pub const RRSIG: Self = Self(46);
    /// A whole zone (RFC 5936).
    pub const AXFR: Self = Self(252);
    /// Changes of a zone (RFC 1995).
    pub const IXFR: Self = Self(251);
    /// All types at once.
    pub const ANY: Self = Self(255);

    /// The name in the registry.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            1 => "A",
            2 => "NS",
            5 => "CNAME",
            6 => "SOA",
            10 => "NULL",
            12 => "PTR",
            13 => "HINFO",
            15 => "MX",
            16 => "TXT",
            17 => "RP",
            24 => "SIG",
            25 => "KEY",
            28 => "AAAA",
            29 => "LOC",
            33 => "SRV",
            35 => "NAPTR",
            37 => "CERT",
            39 => "DNAME",
            41 => "OPT",
            43 => "DS",
            44 => "SSHFP",
            46 => "RRSIG",
            47 => "NSEC",
            48 => "DNSKEY",
            50 => "NSEC3",
            51 => "NSEC3PARAM",
            52 => "TLSA",
            59 => "CDS",
            60 => "CDNSKEY",
            61 => "OPENPGPKEY",
            64 => "SVCB",
            65 => "HTTPS",
            99 => "SPF",
            249 => "TKEY",
            250 => "TSIG",
            251 => "IXFR",
            252 => "AXFR",
            255 => "ANY",
            256 => "URI",
            257 => "CAA",
            _ => return None,
        })
    }
}

impl fmt::Display for RecordType {
    /// The name, or `TYPE` and the number (RFC 3597 §5).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "TYPE{}", self.0),
        }
    }
}

/// A response code, with the bits that EDNS adds (RFC 6891 §6.1.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Rcode(pub u16);

impl Rcode {
    /// The question is answered; the answer may be that there is nothing of the type.
    pub const NO_ERROR: Self = Self(0);
    /// The name does not exist.
    pub const NX_DOMAIN: Self = Self(3);

    /// The name in the registry.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "NOERROR",
            1 => "FORMERR",
            2 => "SERVFAIL",
            3 => "NXDOMAIN",
            4 => "NOTIMP",
            5 => "REFUSED",
            6 => "YXDOMAIN",
            7 => "YXRRSET",
            8 => "NXRRSET",
            9 => "NOTAUTH",
            10 => "NOTZONE",
            11 => "DSOTYPENI",
            16 => "BADVERS",
            23 => "BADCOOKIE",
            _ => return None,
        })
    }
}

impl fmt::Display for Rcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "RCODE{}", self.0),
        }
    }
}
