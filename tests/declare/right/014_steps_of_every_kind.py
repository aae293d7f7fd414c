import datetime
import decimal
import uuid
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, Field

from chainlab import chain, fill, prompt, step

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    items: list[T]
    after: str | None = None


class Item(BaseModel):
    name: Annotated[str, Field(min_length=1)]
    day: datetime.date
    price: decimal.Decimal
    id: uuid.UUID
    meta: dict[str, Any] = {}


@prompt("{{ text }}")
def read(text: str) -> Page[Item]: return fill()


@step
def load(path: Path, when: datetime.datetime) -> str:
    return f"{path} {when}"


@step
async def names(items: list[Item]) -> list[str]:
    return [item.name for item in items]


@step
def log(text: str) -> None:
    print(text)


class Tools:
    @staticmethod
    @step
    def upper(text: str) -> str:
        return text.upper()


@chain
def catalogue(folder: Path) -> list[str]:
    text = load(folder, datetime.datetime(2026, 1, 1))
    log(text)
    page = read(Tools.upper(text))
    return names(page.items)
