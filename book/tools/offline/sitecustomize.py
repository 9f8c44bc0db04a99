"""Loaded by every kernel that runs a notebook for the book: asking for another machine is an error.

The book must run where there is no network, so no cell may need one. A kernel talks to its notebook
on 127.0.0.1, which stays allowed.
"""

import socket


def local(host):
    host = host.decode() if isinstance(host, bytes) else host
    return not host or host.startswith("127.") or host in ("localhost", "::1", "0.0.0.0")


def guard(function, address):
    """The function, refusing other machines; `address` finds the host in its arguments."""

    def guarded(*arguments, **named):
        host = address(arguments)
        if not local(host):
            raise OSError(f"no network in the book's notebooks, but a cell asked for {host}")
        return function(*arguments, **named)

    return guarded


def host_of(arguments):
    return arguments[1][0] if isinstance(arguments[1], tuple) else ""   # a path is a local socket


socket.getaddrinfo = guard(socket.getaddrinfo, lambda arguments: arguments[0])
socket.socket.connect = guard(socket.socket.connect, host_of)
socket.socket.connect_ex = guard(socket.socket.connect_ex, host_of)
