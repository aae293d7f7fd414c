"""A patch written to its file: all of it or nothing, and only to the file that it was made for."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from chainlab.errors import PatchError
from chainlab.source.below import below_root, read_bytes
from chainlab.source.patch import Patch, merge_patches


def apply_patch(patch: Patch) -> None:
    """Write a patch. Raises PatchError: `patch-changed`, `patch-missing`, `patch-outside`, `patch-write`."""
    apply_patches([patch])


def apply_patches(patches: Iterable[Patch]) -> tuple[Patch, ...]:
    """Write patches, one file at a time, after all of them were found to fit; gives back what was written, by file.

    Each file is replaced whole or not at all. Raises PatchError, as `apply_patch` and `merge_patches`.
    """
    merged = merge_patches(patches)
    for patch in merged:
        _check(patch)
    for patch in merged:
        _replace(patch)
    return merged


def _check(patch: Patch) -> None:
    path, name = below_root(str(patch.path), patch.root)
    if path != patch.path or read_bytes(path, name) != patch.old:
        raise PatchError(
            "the file has changed since the patch was made",
            code="patch-changed",
            file=patch.file,
            line=patch.line,
            remedy="make the patch again and look at it",
        )


def _replace(patch: Patch) -> None:
    temporary: Path | None = None
    try:
        before = patch.path.stat()
        if not before.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
            raise PermissionError("it is marked as read-only")
        handle, name = tempfile.mkstemp(dir=patch.path.parent, prefix=f".{patch.path.name}.", suffix=".tmp")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as out:
            out.write(patch.new)
            out.flush()
            _like(out.fileno(), before)
            os.fsync(out.fileno())
        _check(patch)
        os.replace(temporary, patch.path)
        _flush_folder(patch.path.parent)
    except OSError as error:
        raise PatchError(
            f"the file cannot be written: {error.strerror or error}",
            code="patch-write",
            file=patch.file,
            remedy="make the file and its folder writable, or apply the diff yourself",
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _like(handle: int, before: os.stat_result) -> None:
    # The mode and the owner of the old file; and a time that Python's compiled files cannot take for the old one's.
    if os.name == "posix":
        made = os.fstat(handle)
        if (made.st_uid, made.st_gid) != (before.st_uid, before.st_gid):
            os.fchown(handle, before.st_uid, before.st_gid)
        os.fchmod(handle, stat.S_IMODE(before.st_mode))
        if int(made.st_mtime) == int(before.st_mtime):
            os.utime(handle, ns=(made.st_atime_ns, before.st_mtime_ns + 1_000_000_000))


def _flush_folder(folder: Path) -> None:
    with suppress(OSError):  # not every system can; the file itself is safe
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
