"""Interference seen from elsewhere than near the client."""

from story import story
from stories.resets import BLOCKED, HOSTS, ONLY, rst

FORGED_TO_SERVER = {"triggers": BLOCKED, "forge": [rst("server", flags="RA", delay_ms=0.05)]}


@story(scenario=FORGED_TO_SERVER, vantage="near server", hosts=ONLY)
def reset_to_server(lab):
    """Only the server is reset, in the client's name; seen beside the server.

    The client knows nothing of it: it waits for two seconds, then closes, and its FIN contradicts
    the RST. Near the server timing tells nothing. The forged packet's TTL is the device's.
    """
    lab.client("quiet", "203.0.113.10", "blocked.example", 2)


@story(scenario={"triggers": BLOCKED, "forge": [
    rst(flags="RA", ttl=64), rst("server", flags="RA")]},
       vantage="near server", confidence="possible", hosts={"open.example": "untouched"},
       files=("capture.pcapng",))
def reset_both_ends_near_server(lab):
    """Both ends are reset; beside the server it looks like a client that has given up.

    After the request comes a RST+ACK in the client's name with another TTL and without
    timestamps. The client, itself reset, sends nothing more but resets. This could be an aborted
    visit: `possible` at least, and a control name is untouched.
    """
    lab.curl("https://blocked.example/")
    lab.curl("https://open.example/")


@story(scenario={"triggers": BLOCKED, "forge": [
    rst(ttl=250), rst("server", flags="RA", delay_ms=5)]},
       vantage="middle", near={"to_left": {"delay_ms": 12}, "to_right": {"delay_ms": 12}},
       confidence="confirmed", hosts=HOSTS)
def reset_middle(lab):
    """Captured on a router half way between client and device, 12 ms behind the client.

    The round trip seen here is not the client's. The server is reset too, 5 ms later and out of
    sight; by then it has answered, so that its data follow the reset.
    """
    lab.curl("http://blocked.example/")
    lab.curl("http://open.example/")
