"""Checks the inspector's page with the Node of the PyPI wheel: generated types, tsc, oxlint, vitest.

`--write` makes the types instead. Packages are installed by `npm ci` into node_modules when the lock file changed since
the last time, and only then.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

UI = Path(__file__).resolve().parent
ROOT = UI.parent
TYPES = UI / "src" / "api" / "schema.ts"
OPENAPI = UI / "openapi.json"


def main() -> int:
    """Run the checks; 0 when all pass."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write openapi.json and its TypeScript types")
    parser.add_argument("--types-only", action="store_true", help="check the generated types and no more")
    wanted = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    from hatch_build import node_and_npm

    npm, env = node_and_npm()
    if wanted.write:
        from chainlab.inspector.schema import openapi_text

        OPENAPI.write_text(openapi_text())
        install(UI / "tools", npm, env)
        return make_types(TYPES, npm, env)
    install(UI / "tools", npm, env)
    if not types_are_current(npm, env):
        print("src/api/schema.ts is not what openapi.json says: run `python inspector_ui/check.py --write`")
        return 1
    if wanted.types_only:
        return 0
    install(UI, npm, env)
    for script in ("typecheck", "lint", "test"):
        done = subprocess.run([*npm, "run", script, "--silent"], cwd=UI, env=env)
        if done.returncode:
            print(f"inspector_ui: npm run {script} failed")
            return 1
    return 0


def install(folder: Path, npm: list[str], env: dict[str, str]) -> None:
    """`npm ci`, unless the lock file is the one that node_modules was installed from."""
    lock = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    stamp = folder / "node_modules" / ".installed-from"
    if stamp.is_file() and stamp.read_text() == lock:
        return
    command = [*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    subprocess.run(command, cwd=folder, env=env, check=True)
    stamp.write_text(lock)


def make_types(target: Path, npm: list[str], env: dict[str, str]) -> int:
    """Write the TypeScript types of openapi.json."""
    script = UI / "tools" / "node_modules" / "openapi-typescript" / "bin" / "cli.js"
    command = [npm[0], str(script)] if len(npm) > 1 else ["node", str(script)]
    arguments = [str(OPENAPI), "--output", str(target), "--alphabetize", "--immutable"]
    done = subprocess.run([*command, *arguments], cwd=UI / "tools", env=env, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout + done.stderr)
    return done.returncode


def types_are_current(npm: list[str], env: dict[str, str]) -> bool:
    """Whether the committed types are what openapi.json gives."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "schema.ts"
        return make_types(fresh, npm, env) == 0 and fresh.read_text() == TYPES.read_text()


if __name__ == "__main__":
    sys.exit(main())
