"""A member that speaks WebSocket (the library `websockets`), on a loop in a thread of its own.

    with WebsocketMember("M1") as member:
        ... says every message back, the first word says who it is ...
        member.opened     # fields of requests that became WebSockets, names in lower case
        member.closed     # how many of them are over
        member.hang_up()  # closes all, as a server that goes away

Requests that ask for no WebSocket are answered with a page that says whose it is; with a route,
its session cookie is set.
"""

import asyncio
import http
import threading

import websockets.legacy.server

from .ports import HeldPort


class WebsocketMember:
    def __init__(self, name, route=None):
        self.name, self.route = name, route
        self.held = HeldPort()
        self.opened, self.closed = [], 0
        self._open = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def address(self):
        return f"127.0.0.1:{self.held.port}"

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
        assert not self._thread.is_alive()
        self.held.close()

    def hang_up(self):
        asyncio.run_coroutine_threadsafe(self._close_all(), self._loop).result(10)

    async def _close_all(self):
        for one in list(self._open):
            await one.close(1001, "going away")

    def _run(self):
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self):
        self._over = asyncio.Event()
        async with websockets.legacy.server.serve(
                self._talk, sock=self.held.listening_socket(), process_request=self._answer,
                subprotocols=["chat"], ping_interval=None, close_timeout=2, max_size=None):
            self._ready.set()
            await self._over.wait()

    async def _answer(self, _, fields):
        if fields.get("Upgrade", "").lower() == "websocket":
            return None
        more = {"Content-Type": "text/html", "Connection": "close"}
        if self.route:
            more["Set-Cookie"] = f"session=x.{self.route}; Path=/"
        page = f"<title>{self.name}</title><link rel=icon href='data:,'>"  # nothing else is asked for
        return http.HTTPStatus.OK, more, page.encode()

    async def _talk(self, socket, _path=None):
        self.opened.append({name.lower(): value for name, value in socket.request_headers.items()})
        self._open.add(socket)
        try:
            await socket.send(self.name)
            async for message in socket:
                await socket.send(message)
        except websockets.exceptions.ConnectionClosed:
            pass
        finally:
            self._open.discard(socket)
            self.closed += 1
