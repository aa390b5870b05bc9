"""Packets swallowed in the path, beside flows for other names that pass."""

from story import story

NAMED = {"sni": ["shared-a.example"], "http_host": ["shared-a.example"]}
HOSTS = {"shared-a.example": "blocked", "shared-b.example": "untouched"}
SHARED = "203.0.113.30"


@story(scenario={"triggers": NAMED, "swallow": "flow"}, hosts=HOSTS, confidence="likely")
def drop_hello(lab):
    """A device in the path swallows everything from a ClientHello on, both ways; it sends nothing.

    shared-a.example and shared-b.example live at one address. The handshake passes, the hello
    with the first name is sent again and again and never acknowledged; hellos with the second name
    are answered before and after. Both hellos have the same size.
    """
    lab.curl("https://shared-b.example/")
    lab.curl("https://shared-a.example/")
    lab.curl("https://shared-b.example/")


@story(scenario={"triggers": NAMED, "swallow": "flow"}, hosts=HOSTS, confidence="likely",
       files=("capture.pcapng",))
def drop_request(lab):
    """The same by the Host of plain HTTP requests, with the other name answered meanwhile.
    """
    slow = lab.curl("http://shared-a.example/", wait=False)
    lab.sleep(1.5)
    lab.curl("http://shared-b.example/")
    lab.sleep(1)
    lab.curl("http://shared-b.example/photo.jpg")
    slow.wait(10)


@story(scenario={"triggers": NAMED, "swallow": "flow"}, hosts=HOSTS, confidence="likely",
       vantage="middle")
def drop_repeated(lab):
    """Three hellos for one name within half a minute are all swallowed; the other name passes once,
    behind them. Chance does not choose by name.
    """
    for _ in range(3):
        lab.curl("https://shared-a.example/", "-m", "4")
    lab.curl("https://shared-b.example/")


@story(scenario={"triggers": NAMED, "swallow": "answers"}, confidence="likely",
       vantage="near server", hosts={"shared-b.example": "untouched"})
def drop_answers_near_server(lab):
    """One direction is swallowed: after the trigger nothing of the server reaches the client.

    Seen beside the server: the client goes on sending a hello that the server, as the capture
    shows, has acknowledged, and the server goes on sending an answer. Other names pass.
    """
    lab.curl("https://shared-b.example/")
    lab.curl("https://shared-a.example/")
    lab.curl("https://shared-b.example/")


@story(scenario={"triggers": NAMED, "swallow": "flow",
                 "residual": {"seconds": 15, "forge": []}},
       confidence={"shared-a.example": "likely", "residual": "likely"},
       hosts={"shared-a.example": "blocked"})
def drop_residual(lab):
    """After a trigger the device swallows every SYN of that client to that server and port for 15
    seconds. shared-b.example, which nobody blocks, is visited meanwhile and cannot be reached; port
    80 can. Later all is well again.
    """
    lab.curl("https://shared-b.example/")
    lab.curl("https://shared-a.example/", "-m", "5")
    lab.curl("https://shared-b.example/", "-m", "8")
    lab.curl("http://shared-b.example/")
    lab.sleep(3)
    lab.curl("https://shared-b.example/")


@story(scenario={"triggers": {"syn_to": [SHARED]}, "swallow": "flow"}, confidence="possible")
def drop_address(lab):
    """An address is made unreachable: each SYN to it is swallowed. Its neighbours answer.

    From a dead host this differs by nothing that packets show: `possible` is the most that may be
    claimed.
    """
    lab.curl("https://open.example/")
    lab.curl("https://shared-a.example/", "-m", "8")
    lab.curl("https://open.example/")


@story(scenario={"triggers": {"http_path": ["forbidden-topic"]}, "swallow": "flow"},
       confidence="likely")
def drop_on_second_request(lab):
    """One connection is cut off silently at its second request, whose path has a word in it.

    The first answer came; nothing of the second request is acknowledged. Requests for another name
    to the same address pass meanwhile.
    """
    asking = lab.client_later("many-requests", SHARED, "shared-a.example", "/", "/forbidden-topic")
    lab.sleep(2)
    lab.curl("http://shared-b.example/")
    asking.wait(10)
    lab.curl("http://shared-b.example/")


@story(scenario={"dns": {"names": ["blocked.example"], "types": ["A"], "swallow": True}},
       confidence="possible")
def drop_query(lab):
    """Queries for one name never reach the resolver; it answers all others meanwhile.

    A resolver that cannot reach a name's own servers may be as silent: `possible` is the most that
    may be claimed.
    """
    lab.dig("open.example")
    lab.client("ask", "203.0.113.53", "2,3", "blocked.example")
    lab.dig("news.example")
    lab.sleep(5)
    lab.dig("mail.example")


@story(scenario={"quic": {"sni": ["blocked.example"]}}, confidence="likely",
       files=("capture.pcap.gz",), hosts={"open.example": "unclear"})
def drop_quic(lab):
    """A QUIC flow is swallowed by the name in its Initial; another name at the same address passes meanwhile.

    HTTP/3 to 203.0.113.20, version 1. The client sends its Initials again and gives up; the
    device sends nothing, as the newer ones in China and Russia.
    """
    lab.quic_server("203.0.113.20")
    lab.quic_get("203.0.113.20", "open.example")
    asking = lab.quic_get_later("203.0.113.20", "blocked.example")
    lab.sleep(1)
    lab.quic_get("203.0.113.20", "open.example")
    asking.wait(15)
