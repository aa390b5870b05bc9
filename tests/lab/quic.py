#!/usr/bin/env python3
"""HTTP/3 on either side. Usage: quic.py serve|get FOLDER ADDRESS [OPTION...]

    serve FOLDER ADDRESS [retry]             in the server's place
    get FOLDER ADDRESS NAME [v2] [large]     in the client's place

`retry` has addresses proven first, `v2` offers QUIC version 2 (RFC 9369), and `large` makes the
hello too long for one datagram, as post-quantum keys do. Needs aioquic, which `run` fetches.
"""

import asyncio
import sys

from aioquic.asyncio import QuicConnectionProtocol, connect, serve
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.packet import QuicProtocolVersion

PAGE = b"<!DOCTYPE html><html><head><title>HTTP/3</title></head><body>Hello.</body></html>\n"
LARGE = [f"example-{number:03}" for number in range(130)]


class Server(QuicConnectionProtocol):
    """One small page, whatever is asked for."""

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.http = None

    def quic_event_received(self, event):
        """Answer each request."""
        self.http = self.http or H3Connection(self._quic)
        for told in self.http.handle_event(event):
            if isinstance(told, HeadersReceived):
                self.http.send_headers(told.stream_id, [(b":status", b"200")])
                self.http.send_data(told.stream_id, PAGE, end_stream=True)
                self.transmit()


class Client(QuicConnectionProtocol):
    """One request."""

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.http = None
        self.page = asyncio.get_running_loop().create_future()

    def get(self, name):
        """Ask for the front page."""
        self.http = H3Connection(self._quic)
        stream = self._quic.get_next_available_stream_id()
        self.http.send_headers(stream, [(b":method", b"GET"), (b":scheme", b"https"),
                                        (b":authority", name.encode()), (b":path", b"/")],
                               end_stream=True)
        self.transmit()

    def quic_event_received(self, event):
        """Wait for the page."""
        for told in self.http.handle_event(event) if self.http else ():
            if isinstance(told, DataReceived) and told.stream_ended and not self.page.done():
                self.page.set_result(told.data)


async def listen(folder, address, *options):
    """Serve until terminated."""
    settings = QuicConfiguration(is_client=False, alpn_protocols=H3_ALPN)
    settings.load_cert_chain(f"{folder}/site.pem", f"{folder}/site.key")
    await serve(address, 443, configuration=settings, create_protocol=Server,
                retry="retry" in options)
    print("ready", flush=True)
    await asyncio.Future()


async def get(folder, address, name, *options):
    """Fetch one page, or say why not."""
    settings = QuicConfiguration(server_name=name, idle_timeout=2.5,
                                 alpn_protocols=H3_ALPN + (LARGE if "large" in options else []))
    settings.load_verify_locations(f"{folder}/ca.pem")
    if "v2" in options:
        settings.original_version = QuicProtocolVersion.VERSION_2
        settings.supported_versions = [QuicProtocolVersion.VERSION_2]
    try:
        async with connect(address, 443, configuration=settings,
                           create_protocol=Client) as client:
            client.get(name)
            print(len(await asyncio.wait_for(client.page, 4)))
    except (ConnectionError, asyncio.TimeoutError) as error:
        print(repr(error))


if __name__ == "__main__":
    asyncio.run({"serve": listen, "get": get}[sys.argv[1]](*sys.argv[2:]))
