"""`chainlab new`: a folder with a small chain that runs, to begin from. Writes nothing over anything."""

from __future__ import annotations

from pathlib import Path

import typer

SETTINGS = """\
# Which models the chain means when it says "small". To run it on another model, change this line, not the chain.

[models]
small = "embedded:smollm2-135m-instruct"

# A server that speaks the OpenAI API; then write, for example, small = "local:MODEL" above.
# [backends.local]
# kind = "openai"
# base_url = "http://127.0.0.1:8000/v1"
# api_key_env = "LOCAL_KEY"   # the name of an environment variable; a key never stands in a file
"""


def command(name: Path = typer.Argument(metavar="NAME", help="The folder to make.")) -> None:
    """Make a folder with a small typed chain on the built-in model, and its chainlab.toml.

    Exit codes: 0 made, 2 something stands there already.
    """
    import shlex

    from chainlab.cli.output import console

    folder = name.expanduser()
    _make(folder)
    out = console()
    out.print(f"made {folder}: chain.py, chainlab.toml")
    out.print(f"next  cd {shlex.quote(str(folder))}")
    for line in ("chainlab check chain.py", "chainlab run chain.py", "chainlab inspect last"):
        out.print(f"      {line}")


def _make(folder: Path) -> None:
    """Write the files. Raises ConfigError `exists`, `no-folder`."""
    from chainlab.errors import ConfigError

    try:
        folder.mkdir()
    except FileExistsError:
        raise ConfigError(
            f"{str(folder)!r} is there already, and nothing is written over it",
            code="exists",
            remedy="give another name",
        ) from None
    except OSError as error:
        raise ConfigError(
            f"the folder {str(folder)!r} cannot be made: {error.strerror}",
            code="no-folder",
            remedy=f"make {folder.absolute().parent} first, or give another name",
        ) from None
    (folder / "chain.py").write_text(
        Path(__file__).with_name("starter_chain.py").read_text(encoding="utf-8"), encoding="utf-8"
    )
    (folder / "chainlab.toml").write_text(SETTINGS, encoding="utf-8")
