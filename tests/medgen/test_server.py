"""The address to listen on is checked before anything starts."""

import socket

import pytest

from medgen.server import AddressError, check_address


@pytest.mark.parametrize("port", [-1, 0, 65_536, 99_999])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(AddressError, match=f"--port: {port}: must be from 1 to 65535"):
        check_address("127.0.0.1", port)


def test_a_taken_port_and_a_foreign_host_are_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(AddressError, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"):
            check_address("127.0.0.1", port)

    with pytest.raises(AddressError, match=r"cannot listen on 203\.0\.113\.1:8000"):
        check_address("203.0.113.1", 8000)
