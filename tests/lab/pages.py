"""The pages that the middlebox serves in the place of the true ones. All were composed here."""

import base64
import gzip

NOTICE = """<!DOCTYPE html>
<html><head><title>Access denied</title></head>
<body><h1>Access to this website is denied</h1>
<p>The requested address is on the list of restricted resources. Reference: 7-A-0042.</p>
</body></html>
"""

EUC_KR_NOTICE = """<html><head><meta http-equiv="Content-Type" content="text/html; charset=euc-kr">
<title>접속 차단 안내</title></head>
<body><h2>이 사이트는 접속이 차단되었습니다</h2>
<p>귀하가 접속하려는 사이트는 제한 목록에 올라 있어 접속할 수 없습니다.</p>
</body></html>
"""

# The English sentence is the one that was reported in June 2015. The Korean text is not: reports
# only say that there was one and that it spoke of harmful content.
KORYOLINK = """<html>
<head><meta http-equiv="Content-Type" content="text/html; charset=utf-8">
<title>Warning!</title></head>
<body bgcolor="#ffffff">
<h1>Warning! You can't connect to this website because it's in blacklist site.</h1>
<p>경고! 이 웹싸이트는 유해로운 내용을 담고있으므로 접속할수 없습니다.</p>
</body>
</html>
"""


def response(status, body, headers=(), coding=None):
    """A whole HTTP/1.1 response as base64, for a scenario's `payload`.

    `coding`: None (Content-Length), "chunked", or "gzip" (chunked and compressed).
    """
    lines = [f"HTTP/1.1 {status}", *headers]
    if coding == "gzip":
        body = gzip.compress(body, mtime=0)
        lines.append("Content-Encoding: gzip")
    if coding:
        half = len(body) // 2
        body = b"".join(b"%x\r\n%s\r\n" % (len(part), part)
                        for part in (body[:half], body[half:])) + b"0\r\n\r\n"
        lines.append("Transfer-Encoding: chunked")
    else:
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join(lines) + "\r\n\r\n"
    return base64.b64encode(head.encode("ascii") + body).decode("ascii")


def notice(status="403 Forbidden", coding=None, connection="close"):
    """The plain English notice."""
    headers = ["Content-Type: text/html", f"Connection: {connection}"]
    return response(status, NOTICE.encode("ascii"), headers, coding)


def long_notice():
    """A notice of some 3 kB, so that it takes several segments."""
    body = NOTICE.replace("</body>", "<p>Legal text. " * 170 + "</p></body>")
    return response("200 OK", body.encode("ascii"), ["Content-Type: text/html"])


def euc_kr():
    """A Korean notice in EUC-KR."""
    headers = ["Content-Type: text/html; charset=euc-kr", "Connection: close"]
    return response("200 OK", EUC_KR_NOTICE.encode("euc-kr"), headers)


def koryolink():
    """The notice of the June 2015 case, as far as it is known."""
    headers = ["Content-Type: text/html; charset=utf-8", "Connection: close"]
    return response("200 OK", KORYOLINK.encode("utf-8"), headers)


def redirect(location):
    """A redirect to a page of notices."""
    return response("302 Found", b"", [f"Location: {location}", "Connection: close"])
