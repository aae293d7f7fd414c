"""The page's stylesheets, one for each concept: a class is styled in one of them, so that none changes another's."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

STYLES = Path(__file__).resolve().parents[2] / "inspector_ui" / "src" / "styles"


def owned(sheet: str) -> set[str]:
    """The classes that a stylesheet has a rule for by themselves: `.plan`, `pre.plan`; not `.run .plan`."""
    selectors = re.findall(r"([^{}]+)\{", re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL))
    alone = (re.fullmatch(r"\w*\.([\w-]+)", part.strip()) for one in selectors for part in one.split(","))
    return {found[1] for found in alone if found}


def test_a_class_has_its_own_rule_in_one_stylesheet() -> None:
    sheets = defaultdict(list)
    for file in sorted(STYLES.glob("*.css")):
        for name in owned(file.read_text()):
            sheets[name].append(file.name)
    assert {name: files for name, files in sheets.items() if len(files) > 1} == {}
    assert sheets["timeline"] == ["timeline.css"]


def test_a_stylesheet_owns_what_it_styles_alone() -> None:
    assert owned("/* .x { */ .a, pre.b { } .c .d { } @media (x) { .e { } } .f:hover { }") == {"a", "b", "e"}
