"""The built page, read into memory once. Its exact paths are the only ones served without a session.

Nothing is looked up on disk per request, so no path from outside can reach a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

STATIC = Path(__file__).with_name("static")
_IMMUTABLE = "public, max-age=31536000, immutable"
# Written out, because Python's table of types follows the machine's registry, and `nosniff` makes a wrong one fatal.
_MEDIA = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
}

_NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>chainlab inspector</title></head>
<body><main><h1>The inspector's page is not built</h1>
<p>chainlab was installed without it (<code>CHAINLAB_SKIP_UI=1</code>).
To build it, run in chainlab's source folder:</p>
<pre>pip install -e .</pre>
<p>Node comes with the build; nothing else is needed. The API under <code>/api</code> works meanwhile,
and so do <code>chainlab runs</code> and <code>chainlab show last</code>.</p>
</main></body></html>
"""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of the page."""

    body: bytes
    media_type: str
    cache: str


def load_assets(folder: Path = STATIC) -> Mapping[str, Asset]:
    """Every file of the built page by its URL path; without a build, a page that says how to make one."""
    found: dict[str, Asset] = {}
    for path in sorted(folder.rglob("*")) if (folder / "index.html").is_file() else ():
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith("."):
            media = _MEDIA.get(path.suffix, "application/octet-stream")
            # Vite puts a content hash in the name of everything under assets/.
            cache = _IMMUTABLE if name.startswith("assets/") else "no-cache"
            found[f"/{name}"] = Asset(path.read_bytes(), media, cache)
    index = found.pop("/index.html", None)
    found["/"] = index or Asset(_NOT_BUILT.encode(), "text/html; charset=utf-8", "no-store")
    return found
