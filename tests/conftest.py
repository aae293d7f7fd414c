"""What every test shares: the network is off. Only this machine may be reached."""

from __future__ import annotations

import ipaddress
import sys
from typing import Any

import pytest


class NetworkIsOff(Exception):
    """A test tried to reach another machine."""


def _guard(event: str, args: tuple[Any, ...]) -> None:
    if event != "socket.connect" or not isinstance(args[1], tuple):
        return  # not a connection, or a unix socket
    host = str(args[1][0])
    try:
        local = ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        local = host == "localhost"
    if not local:
        raise NetworkIsOff(f"a test connects to {host}: tests reach this machine only")


def pytest_configure(config: pytest.Config) -> None:
    """An audit hook cannot be taken out again, which is what is wanted here."""
    sys.addaudithook(_guard)
