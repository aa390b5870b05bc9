//! Requests and answers of HTTP/1.1 (RFC 9112).

use super::rng::Rng;

/// A browser's request, about 380 bytes; a short one is a program's.
pub(crate) fn request(rng: &mut Rng, host: &str, short: bool) -> Vec<u8> {
    let path = rng.next() as u32;
    if short {
        return format!("GET /{path:x} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n")
            .into_bytes();
    }
    format!(
        "GET /assets/{path:08x}/page.html?session={:016x} HTTP/1.1\r\nHost: {host}\r\n\
         User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
         Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
         Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate\r\n\
         Connection: keep-alive\r\n\r\n",
        rng.next()
    )
    .into_bytes()
}

/// The head of an answer with `len` bytes of body.
pub(crate) fn answer(rng: &mut Rng, len: u64) -> Vec<u8> {
    let kind = ["image/jpeg", "application/octet-stream", "video/mp4", "font/woff2"];
    let kind = kind[rng.below(4) as usize];
    format!(
        "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: {kind}\r\nContent-Length: {len}\r\n\
         ETag: \"{:016x}\"\r\nCache-Control: max-age=3600\r\nAccept-Ranges: bytes\r\n\r\n",
        rng.next()
    )
    .into_bytes()
}

/// What a box in the path answers instead.
pub(crate) const NOTICE: &[u8] = b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n\
Content-Length: 123\r\nConnection: close\r\n\r\n<html><head><title>Access denied</title></head><body>\
<h1>This page is not available in your network.</h1></body></html>\r\n\r\n\r\n";
