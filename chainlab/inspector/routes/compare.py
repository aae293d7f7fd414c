"""Two runs side by side."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from chainlab.compare.comparison import Comparison
from chainlab.compare.read import read_comparison
from chainlab.errors import StoreError
from chainlab.inspector.answer import answer
from chainlab.inspector.refused import Refused
from chainlab.inspector.routes.deps import NotHere, Reader

router = APIRouter()

Id = Annotated[str, Query(pattern=r"^[0-9A-Za-z_-]{1,64}$")]


@router.get("/compare", response_model=Comparison)
def compare(
    reader: Reader,
    a: Id,
    b: Id,
    step: Annotated[str | None, Query(max_length=1000)] = None,
    any_chain: bool = False,
) -> Response:
    """Two runs step by step; one step in full: the one named, else the first that differs."""
    try:
        return answer(read_comparison(reader, a, b, step=step, any_chain=any_chain))
    except StoreError as error:
        if error.code in ("run-not-found", "step-not-found"):
            raise NotHere(error.message.removeprefix("there is no ")) from None
        raise Refused(409, error.code, error.message) from None
