"""What every test shares: the network is off, and no test depends on how or on what machine it was started."""

from __future__ import annotations

import ipaddress
import signal
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

SLOW_S = 600


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
    """Set up this process, a worker of pytest-xdist included."""
    sys.addaudithook(_guard)  # cannot be taken out again, which is what is wanted here
    # A shell that starts the suite in the background has Ctrl-C ignored, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # The same examples every time, and as long as the machine needs for each.
    settings.register_profile("chainlab", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("chainlab")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A model, and a browser, take many times longer on a machine that does other things as well.

    Their files go first, whole: a long file that begins last has the other worker wait for it.
    """
    slow = set()
    for item in items:
        names = {mark.name for mark in item.iter_markers()}
        if names & {"model", "browser"}:
            slow.add(item.path)
            if "timeout" not in names:
                item.add_marker(pytest.mark.timeout(SLOW_S))
    items.sort(key=lambda item: item.path not in slow)
