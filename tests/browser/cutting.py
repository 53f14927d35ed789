"""A wire between browser and server that can be cut: before a request, in its middle, or before the answer."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

BLOCK = 65_536


class Wire:
    """Forwards bytes of this machine's loopback. `cut` says what happens to POST requests.

    "": nothing; "before": the connection is refused its request; "middle": half of the request arrives;
    "after": the whole request arrives, the answer never comes back; "all": there is no network, for any request.
    `at_post` is called when a POST request has just been forwarded.
    """

    def __init__(self, target: int) -> None:
        self.target, self.cut, self.swallowed = target, "", 0
        self.at_post: Callable[[], object] = lambda: None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                browser, _ = self.listener.accept()
                threading.Thread(target=self._carry, args=(browser,), daemon=True).start()

    def _carry(self, browser: socket.socket) -> None:
        if self.cut == "all":
            browser.close()
            return
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            browser.close()
            return
        threading.Thread(target=self._back, args=(server, browser), daemon=True).start()
        with suppress(OSError):
            while data := browser.recv(BLOCK):
                if self.cut == "all":
                    break
                if data.startswith(b"POST ") and self.cut:
                    self._cut(data, browser, server)
                    return
                server.sendall(data)
                if data.startswith(b"POST "):
                    self.at_post()
        self._close(browser, server)

    def _cut(self, data: bytes, browser: socket.socket, server: socket.socket) -> None:
        how, self.swallowed = self.cut, self.swallowed + 1
        if how == "middle":
            server.sendall(data[: len(data) // 2])
        elif how == "after":
            self._let_it_arrive(data, browser, server)
        self._close(browser, server)

    def _let_it_arrive(self, data: bytes, browser: socket.socket, server: socket.socket) -> None:
        """The whole request reaches the server, which answers to nobody."""
        browser.settimeout(0.4)
        server.sendall(data)
        with suppress(TimeoutError):
            while more := browser.recv(BLOCK):
                server.sendall(more)

    def _back(self, server: socket.socket, browser: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(BLOCK):
                if self.cut == "after":
                    break
                browser.sendall(data)
        self._close(browser, server)

    def _close(self, *sockets: socket.socket) -> None:
        for each in sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@contextmanager
def wire_to(base: str) -> Iterator[Wire]:
    """A wire to a served address."""
    wire = Wire(int(base.rpartition(":")[2]))
    try:
        yield wire
    finally:
        wire.listener.close()
