"""Loaded by every kernel that runs a notebook for the book: a connection to any other machine is an error.

The book must run where there is no network, so no cell may need one. Kernels talk to their notebook on 127.0.0.1,
which stays allowed.
"""

import socket


def _guard(method):
    def connect(self, address):
        host = str(address[0]) if isinstance(address, tuple) else "localhost"
        if not (host.startswith("127.") or host in ("localhost", "::1")):
            raise OSError(f"no network in the book's notebooks, but a cell asked for {host}")
        return method(self, address)

    return connect


socket.socket.connect = _guard(socket.socket.connect)
socket.socket.connect_ex = _guard(socket.socket.connect_ex)
