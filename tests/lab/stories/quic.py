"""HTTP/3: what can be read of it, and that nothing of it looks like interference."""

from story import innocent


@innocent(hosts={"open.example": "unclear", "news.example": "unclear", "cdn.example": "unclear",
                 "mail.example": "unclear"},
          shows=("quic.version == 1 && tls.handshake.type == 1", "quic.version == 0x6b3343cf",
                 "quic.long.packet_type == 3", "icmp.type == 3 && icmp.code == 3"))
def quic_plain(lab):
    """Nothing odd: HTTP/3 by QUIC version 1 and 2, and by a server that has none.

    One hello takes two datagrams, one server asks for a Retry, and one port is closed. All names
    can be read. A server's answer is encrypted: no access is held to be untouched.
    """
    lab.quic_server("203.0.113.20")
    lab.quic_server("203.0.113.11", "retry")
    lab.quic_get("203.0.113.20", "open.example")
    lab.quic_get("203.0.113.20", "open.example", "v2")
    lab.quic_get("203.0.113.20", "mail.example", "large")
    lab.quic_get("203.0.113.11", "news.example")
    lab.quic_get("203.0.113.21", "cdn.example")
