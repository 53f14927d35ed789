"""The web server: gunicorn in this process, configured for the product."""

import socket
from typing import Any

from django.core.wsgi import get_wsgi_application
from gunicorn.app.base import BaseApplication

from annotation.work.workers import beside_server

WORKERS, THREADS = 2, 4
MOST_PORT = 65_535


class AddressError(RuntimeError):
    """The address cannot be listened on."""


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn with two processes of four threads; keep-alive long enough for a reader's pauses."""

    def __init__(self, *, host: str, port: int) -> None:
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        super().__init__()

    def load_config(self) -> None:
        settings: dict[str, Any] = {
            "bind": self.address,
            "workers": WORKERS,
            "threads": THREADS,
            "worker_class": "gthread",
            "timeout": 120,
            "graceful_timeout": 30,
            "keepalive": 75,
            "preload_app": True,
            "max_requests": 20_000,
            "max_requests_jitter": 2_000,
            "loglevel": "warning",
            "control_socket_disable": True,
        }
        for key, value in settings.items():
            if key in self.cfg.settings:
                self.cfg.set(key, value)

    def load(self) -> Any:
        return get_wsgi_application()


def check_address(host: str, port: int) -> None:
    """Raise AddressError with a sentence when the port is none or taken, or the host is not ours."""
    if not 1 <= port <= MOST_PORT:
        raise AddressError(f"--port: {port}: must be from 1 to {MOST_PORT}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            raise AddressError(
                f"cannot listen on {host}:{port}: {problem.strerror}. Try another --port or --host"
            ) from problem


def serve(*, host: str, port: int) -> None:
    """Serve until stopped, with a worker beside."""
    beside_server()
    Server(host=host, port=port).run()
