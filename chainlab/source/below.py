"""Which file a recorded place names, and whether it may be written: only an author's own file below the root."""

from __future__ import annotations

from pathlib import Path

from chainlab.errors import PatchError

_INSTALLED = frozenset({"site-packages", "dist-packages"})
_COPY = "copy the new text into its place yourself"


def below_root(file: str, root: Path) -> tuple[Path, str]:
    """The file with every link followed, and its name below the root, with `/`.

    Raises PatchError: `patch-notebook`, `patch-outside`, `patch-missing`.
    """
    if file.startswith("<") or file.endswith(".ipynb") or any(p.startswith("ipykernel_") for p in Path(file).parts):
        raise PatchError(
            "the prompt was declared in a notebook, an interactive shell or a string: there is no file to patch",
            code="patch-notebook",
            file=file,
            remedy="copy the new text into the cell yourself, or move the prompt into a module",
        )
    home = root.resolve()
    try:
        path = (home / file).resolve()
        inside = path.is_relative_to(home) and not _INSTALLED.intersection(path.relative_to(home).parts)
    except (OSError, RuntimeError, ValueError) as error:  # links in a circle, a NUL in the name
        raise PatchError(f"the file cannot be found: {error}", code="patch-missing", file=file, remedy=_COPY) from None
    if not inside:
        raise PatchError(
            "the file is not one of the project's own, so it is never written",
            code="patch-outside",
            file=file,
            expected=f"a file below {home} and not an installed package",
            remedy=_COPY,
        )
    name = path.relative_to(home).as_posix()
    if not path.is_file():
        raise PatchError(
            "the file is not there any more",
            code="patch-missing",
            file=name,
            remedy="copy the new text to where the prompt is now, or run the chain again and edit that run",
        )
    return path, name


def read_bytes(path: Path, name: str) -> bytes:
    """The bytes of a file. Raises PatchError `patch-unreadable`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise PatchError(
            f"the file cannot be read: {error.strerror or error}", code="patch-unreadable", file=name, remedy=_COPY
        ) from None
