"""The child's program with the first wall torn down: templates reach Python. Run by path, in place of the real one."""

from __future__ import annotations

import json
import os
import resource
import runpy
import socket
import sys
from pathlib import Path

CHILD = Path(__file__).resolve().parents[2] / "chainlab" / "sandbox" / "child.py"


def main() -> None:
    child = runpy.run_path(str(CHILD), run_name="child")
    child["_find_package"]()
    from chainlab.spec import _jinja

    class Open(type(_jinja.ENVIRONMENT)):  # type: ignore[misc]  # the class of an object
        def is_safe_attribute(self, *_: object) -> bool:
            return True

    _jinja.ENVIRONMENT.__class__ = Open
    _jinja.GLOBALS.update(open=open, os=os, json=json, resource=resource, socket=socket, sys=sys, load=__import__)
    child["main"]()


if __name__ == "__main__":
    main()
