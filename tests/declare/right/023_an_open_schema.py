"""What the checker cannot know it lets pass: Any, dict, extra fields."""
from typing import Any

from pydantic import BaseModel, ConfigDict

from chainlab import chain, fill, prompt


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow")

    name: str


@prompt("{{ data.anything.at.all }} {{ loose.more }} {{ table.key }} {{ rows[0].x }}")
def show(data: Any, loose: Loose, table: dict[str, Any], rows: list[dict[str, Any]]) -> Any: return fill()


@chain
def page(data: Any, loose: Loose, rows: list[dict[str, Any]]) -> Any:
    return show(data, loose, {"key": loose.name}, rows)
