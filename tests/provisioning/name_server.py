"""A name server on loopback that knows one name, or says nothing at all."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.message
import dns.rcode
import dns.rrset


@contextmanager
def serving(known: dict[str, str], *, silent: bool = False) -> Iterator[int]:
    """Its UDP port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind(("127.0.0.1", 0))
        threading.Thread(target=_answer, args=(own, known, silent), daemon=True).start()
        yield own.getsockname()[1]


def _answer(own: socket.socket, known: dict[str, str], silent: bool) -> None:
    while True:
        try:
            packet, sender = own.recvfrom(4096)
        except OSError:
            return
        question = dns.message.from_wire(packet)
        reply = dns.message.make_response(question)
        name = question.question[0].name
        address = known.get(name.to_text().rstrip("."))
        if address:
            reply.answer.append(dns.rrset.from_text(name, 60, "IN", "A", address))
        else:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        if not silent:
            own.sendto(reply.to_wire(), sender)
