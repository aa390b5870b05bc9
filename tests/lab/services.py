"""The servers: nginx with many names, dnsmasq, an authority of the laboratory's own.

Every name has an address of its own where its story needs one. Keys and certificates are made
anew for each run and thrown away with it.
"""

import subprocess
from pathlib import Path

# name -> (IPv4 addresses, IPv6 address or None)
NAMES = {
    "blocked.example": (["203.0.113.10"], "2001:db8:5::10"),
    "news.example": (["203.0.113.11"], None),
    "open.example": (["203.0.113.20"], "2001:db8:5::20"),
    "cdn.example": (["203.0.113.21"], None),
    "shared-a.example": (["203.0.113.30"], "2001:db8:5::30"),
    "shared-b.example": (["203.0.113.30"], "2001:db8:5::30"),
    "mail.example": (["203.0.113.31"], None),
    "closing.example": (["203.0.113.60"], None),
    "forbidding.example": (["203.0.113.61"], None),
    "moved.example": (["203.0.113.62"], None),
    "strict.example": (["203.0.113.63"], None),
    "gateway.example": (["203.0.113.64"], None),
    "impatient.example": (["203.0.113.66"], None),
    "rotating.example": (["203.0.113.68", "203.0.113.69"], None),
    "odd.example": (["203.0.113.70"], None),
    "instagram.com": (["203.0.113.80"], None),
    "www.instagram.com": (["203.0.113.80"], None),
    "i.instagram.com": (["203.0.113.81"], None),
    "upload.instagram.com": (["203.0.113.82"], None),
    "scontent.instagram.com": (["203.0.113.83"], None),
}

HEAD = """
daemon off; worker_processes 1; pid {root}/nginx.pid; error_log {root}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off; default_type text/html; keepalive_timeout 15; reset_timedout_connection on;
  types {{ text/html html; application/octet-stream bin; image/jpeg jpg; }}
  ssl_certificate {root}/site.pem; ssl_certificate_key {root}/site.key;
  ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets off;
  client_body_temp_path {root}/body; proxy_temp_path {root}/proxy;
  fastcgi_temp_path {root}/fastcgi; uwsgi_temp_path {root}/uwsgi; scgi_temp_path {root}/scgi;
"""
SITE = """
  server {{ {listen} server_name {name}; root {root}/www/{name}; {extra} }}
"""
API = "location / { default_type application/json; return 200 '{\"status\":\"ok\"}'; }"
EXTRA = {
    "closing.example": "location / { return 444; } location /open { try_files /index.html =404; }",
    "forbidding.example": "error_page 403 /blocked.html; location / { return 403; } "
                          "location = /blocked.html { internal; }",
    "moved.example": "location / { return 302 http://portal.example/blocked?from=moved.example; }",
    "gateway.example": "location / { proxy_pass http://127.0.0.1:9000; proxy_read_timeout 2s; }",
    "i.instagram.com": API, "upload.instagram.com": API,
    "impatient.example": "client_header_timeout 1s; client_body_timeout 1s; send_timeout 1s;",
}
OWN_403 = """<!DOCTYPE html>
<html><head><title>403 Access blocked</title></head>
<body><h1>Access blocked</h1>
<p>Your address has been blocked by the operator of this site because of too many requests. This
website is not available in your country. If you think that this is a mistake, write to us.</p>
</body></html>
"""


def address_of(name):
    """The first IPv4 address of a name."""
    return NAMES[name][0][0]


def page(name):
    """The page of one site; names differ in length, so pages do."""
    lines = "".join(f"<p>{name}, paragraph {number}: the quick brown fox jumps over the lazy dog."
                    "</p>\n" for number in range(1, 8))
    return (f"<!DOCTYPE html>\n<html><head><title>{name}</title></head>\n<body>\n{lines}"
            "</body></html>\n")


def openssl(folder, *words):
    """One openssl command."""
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def certificates(folder):
    """Two authorities; a certificate for all names, and two others for one of them."""
    for stem, authority in (("ca", "Laboratory"), ("ca2", "Second")):
        openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-keyout", f"{stem}.key", "-out", f"{stem}.pem", "-days", "30",
                "-subj", f"/O={authority}/CN={authority} authority")
    trusted = [(folder / f"{stem}.pem").read_text(encoding="utf-8") for stem in ("ca", "ca2")]
    (folder / "trusted.pem").write_text("".join(trusted), encoding="utf-8")
    rotating = ["rotating.example"]
    for stem, names, authority in (("site", list(NAMES), "ca"), ("other", rotating, "ca"),
                                   ("second", rotating, "ca2")):
        alternative = ",".join(f"DNS:{name}" for name in names)
        (folder / f"{stem}.ext").write_text(f"subjectAltName={alternative}\n", encoding="utf-8")
        openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-keyout", f"{stem}.key", "-out", f"{stem}.csr",
                "-subj", f"/O=Laboratory/CN={names[0]}")
        openssl(folder, "x509", "-req", "-in", f"{stem}.csr", "-CA", f"{authority}.pem",
                "-CAkey", f"{authority}.key", "-CAcreateserial", "-out", f"{stem}.pem",
                "-days", "30", "-extfile", f"{stem}.ext")


def self_signed(folder, stem, name):
    """A certificate for a name that nobody vouches for."""
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-keyout", f"{stem}.key", "-out", f"{stem}.pem", "-days", "30",
            "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}")


def write_sites(folder):
    """The files that nginx serves."""
    for name in NAMES:
        root = folder / "www" / name
        root.mkdir(parents=True, exist_ok=True)
        (root / "index.html").write_text(page(name), encoding="utf-8")
        (root / "big.bin").write_bytes(bytes(range(256)) * 96)
        (root / "long.bin").write_bytes(bytes(range(256)) * 384)
        (root / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(range(255, -1, -1)) * 12)
    (folder / "www/forbidding.example/blocked.html").write_text(OWN_403, encoding="utf-8")


def listen(name):
    """The listen lines of one name."""
    v4, v6 = NAMES[name]
    addresses = v4[:1] + ([f"[{v6}]"] if v6 else [])
    return " ".join(f"listen {address}:80; listen {address}:443 ssl;" for address in addresses)


def nginx_config(folder):
    """The whole configuration."""
    text = HEAD.format(root=folder)
    for name in NAMES:
        if name == "odd.example":
            continue  # servers.py answers there
        text += SITE.format(listen=listen(name), name=name, root=folder, extra=EXTRA.get(name, ""))
    text += ("  server { listen 203.0.113.63:443 ssl default_server; server_name _; "
             "ssl_reject_handshake on; }\n")
    for address, stem in (("203.0.113.69", "other"), ("203.0.113.67", "own"),
                          ("203.0.113.74", "second")):
        text += (f"  server {{ listen {address}:443 ssl; server_name rotating.example; "
                 f"root {folder}/www/rotating.example; ssl_certificate {folder}/{stem}.pem; "
                 f"ssl_certificate_key {folder}/{stem}.key; }}\n")
    return text + "}\n"


PROXY_PAGE = """<!DOCTYPE html>
<html><head><title>Web filter</title></head>
<body><h1>This site is blocked by your organisation</h1>
<p>Category: leisure. Ask the help desk if you need it for your work.</p></body></html>
"""


def proxy_config(folder):
    """nginx as a company's filter: its own page for whatever is asked."""
    (folder / "filter.html").write_text(PROXY_PAGE, encoding="utf-8")
    body = ("server { listen 3128; root %s; error_page 403 /filter.html; "
            "location / { return 403; } location = /filter.html { internal; } }" % folder)
    head = HEAD.format(root=folder).replace("nginx.pid", "proxy.pid")
    return "\n".join([head, body, "}"])


def impostor_config(folder):
    """nginx that answers any name with the impostor's certificate and blocked.example's page."""
    body = (f"server {{ listen 4443 ssl; root {folder}/www/blocked.example; "
            f"ssl_certificate {folder}/impostor.pem; "
            f"ssl_certificate_key {folder}/impostor.key; }}")
    head = HEAD.format(root=folder).replace("nginx.pid", "impostor.pid")
    return "\n".join([head, body, "}"])


def start(world):
    """Start nginx and dnsmasq in the server's namespace, and tell the client of the resolver."""
    folder = world.folder
    certificates(folder)
    self_signed(folder, "own", "rotating.example")
    write_sites(folder)
    folder.chmod(0o755)
    (folder / "nginx.conf").write_text(nginx_config(folder), encoding="utf-8")
    nginx = world.start("server", "nginx", "-p", folder, "-c", folder / "nginx.conf")
    lines = ["no-resolv", "no-hosts", "no-daemon", "user=root", "local-ttl=60",
             "listen-address=203.0.113.53,2001:db8:5::10", "bind-interfaces", f"pid-file={folder}/dnsmasq.pid"]
    for name, (v4, v6) in NAMES.items():
        lines += [f"host-record={name},{address}" for address in v4]
        lines += [f"host-record={name},{v6}"] if v6 else []
    (folder / "dnsmasq.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    world.start("server", "dnsmasq", "-C", folder / "dnsmasq.conf")
    etc = Path("/etc/netns") / world.name("client")
    etc.mkdir(parents=True, exist_ok=True)
    (etc / "resolv.conf").write_text("nameserver 203.0.113.53\noptions timeout:2\n",
                                     encoding="utf-8")
    return nginx


def stop(world):
    """Take the resolver's entry away again."""
    etc = Path("/etc/netns") / world.name("client")
    (etc / "resolv.conf").unlink(missing_ok=True)
    if etc.is_dir():
        etc.rmdir()
