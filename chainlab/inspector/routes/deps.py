"""What routes need from the application: the reader of traces, the security rules, the cache of parsed chains."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Path, Request

from chainlab.inspector.chains import Chains
from chainlab.inspector.live import Live
from chainlab.inspector.refused import Refused
from chainlab.inspector.security import Security
from chainlab.inspector.workbench import Workbench
from chainlab.trace import TraceReader


class NotHere(Exception):
    """What was asked for does not exist."""

    def __init__(self, what: str) -> None:
        self.message = f"there is no {what}"
        super().__init__(self.message)


def _reader(request: Request) -> TraceReader:
    return cast(TraceReader, request.app.state.reader)


def _security(request: Request) -> Security:
    return cast(Security, request.app.state.security)


def _chains(request: Request) -> Chains:
    return cast(Chains, request.app.state.chains)


def _live(request: Request) -> Live:
    return cast(Live, request.app.state.live)


def _bench(request: Request) -> Workbench:
    found = cast("Workbench | None", request.app.state.bench)
    if found is None or not found.allowed.replay:
        raise Refused(403, "read_only", "This inspector only shows traces.")
    return found


Reader = Annotated[TraceReader, Depends(_reader)]
LiveUpdates = Annotated[Live, Depends(_live)]
Rules = Annotated[Security, Depends(_security)]
Bench = Annotated[Workbench, Depends(_bench)]
ParsedChains = Annotated[Chains, Depends(_chains)]
RunId = Annotated[str, Path(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
PayloadHash = Annotated[str, Path(pattern=r"^[0-9a-f]{40}$")]
