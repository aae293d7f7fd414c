"""A patch is written whole or not at all, and only to the file that it was made for."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from chainlab.errors import PatchError
from chainlab.source.apply import apply_patch, apply_patches
from tests.source.author import HEAD, declare, message, patch_of, project

SAY = '@prompt("Say {{ text }}")\ndef say(text: str) -> str: return fill()\n'


def test_an_applied_patch_is_what_the_file_declares(tmp_path: Path) -> None:
    patch = patch_of(project(tmp_path, SAY), "New {{ text }}", tmp_path)
    apply_patch(patch)
    assert patch.path.read_bytes() == patch.new
    again = declare(patch.path)
    assert message(again).template == "New {{ text }}"
    assert patch_of(again, "Say {{ text }}", tmp_path).new.decode() == HEAD + SAY


def test_making_a_patch_writes_nothing(tmp_path: Path) -> None:
    module = project(tmp_path, SAY)
    before = (tmp_path / "chains.py").stat()
    assert patch_of(module, "New {{ text }}", tmp_path).diff
    assert [path.name for path in tmp_path.iterdir()] == ["chains.py"]
    assert (tmp_path / "chains.py").read_text() == HEAD + SAY
    assert (tmp_path / "chains.py").stat().st_mtime_ns == before.st_mtime_ns


def refused(patch_file: Path, module_root: Path) -> PatchError:
    """The error of a patch whose file was changed between making and applying it."""
    patch = patch_of(project(module_root, SAY), "New {{ text }}", module_root)
    body = HEAD + SAY + "# a colleague was faster\n"
    patch_file.write_text(body)
    with pytest.raises(PatchError) as caught:
        apply_patch(patch)
    assert patch_file.read_text() == body
    return caught.value


def test_a_file_that_changed_since_is_not_touched(tmp_path: Path) -> None:
    error = refused(tmp_path / "chains.py", tmp_path)
    assert (error.code, error.file) == ("patch-changed", "chains.py")


def test_a_file_that_became_a_link_is_not_followed(tmp_path: Path) -> None:
    app, outside = tmp_path / "app", tmp_path / "outside.py"
    patch = patch_of(project(app, SAY), "New {{ text }}", app)
    patch.path.rename(outside)
    patch.path.symlink_to(outside)
    with pytest.raises(PatchError) as caught:
        apply_patch(patch)
    assert caught.value.code == "patch-outside" and outside.read_bytes() == patch.old


def test_a_file_that_became_a_link_inside_the_project_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    patch = patch_of(project(tmp_path, SAY), "New {{ text }}", tmp_path)
    patch.path.rename(tmp_path / "moved.py")
    patch.path.symlink_to(tmp_path / "moved.py")
    with pytest.raises(PatchError) as caught:
        apply_patch(patch)
    assert caught.value.code == "patch-changed" and patch.path.is_symlink()


def test_a_change_that_comes_while_the_patch_is_written_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patch = patch_of(project(tmp_path, SAY), "New {{ text }}", tmp_path)
    monkeypatch.setattr(os, "fsync", lambda _: patch.path.write_bytes(patch.old + b"# faster"))
    with pytest.raises(PatchError) as caught:
        apply_patch(patch)
    assert caught.value.code == "patch-changed" and patch.path.read_bytes() == patch.old + b"# faster"


def test_when_one_file_does_not_fit_no_file_is_written(tmp_path: Path) -> None:
    good = patch_of(project(tmp_path, SAY, "good.py"), "New {{ text }}", tmp_path)
    stale = patch_of(project(tmp_path, SAY, "stale.py"), "New {{ text }}", tmp_path)
    stale.path.write_bytes(stale.old + b"#\n")
    with pytest.raises(PatchError):
        apply_patches([good, stale])
    assert good.path.read_bytes() == good.old


def test_several_patches_of_several_files_are_written_together(tmp_path: Path) -> None:
    body = SAY + SAY.replace("say", "tell").replace("Say", "Tell")
    module, other = project(tmp_path, body), project(tmp_path, SAY, "other.py")
    written = apply_patches(
        [
            patch_of(module, "One {{ text }}", tmp_path),
            patch_of(module, "Two {{ text }}", tmp_path, "tell"),
            patch_of(other, "Three {{ text }}", tmp_path),
        ]
    )
    assert [patch.file for patch in written] == ["chains.py", "other.py"]
    assert (tmp_path / "chains.py").read_text() == HEAD + body.replace("Say", "One").replace("Tell", "Two")
    assert (tmp_path / "other.py").read_text() == HEAD + SAY.replace("Say", "Three")


def test_the_mode_and_the_owner_stay(tmp_path: Path) -> None:
    patch = patch_of(project(tmp_path, SAY), "New {{ text }}", tmp_path)
    patch.path.chmod(0o754)
    before = patch.path.stat()
    apply_patch(patch)
    after = patch.path.stat()
    assert stat.S_IMODE(after.st_mode) == 0o754
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)


def test_a_file_of_somebody_else_is_given_back_to_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patch = patch_of(project(tmp_path, SAY), "New {{ text }}", tmp_path)
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "fchown", lambda _, user, group: given.append((user, group)))
    real = os.fstat

    def made_by_another(handle: int) -> os.stat_result:
        found = real(handle)
        times = {"st_atime_ns": found.st_atime_ns, "st_mtime_ns": found.st_mtime_ns}
        return os.stat_result((*found[:4], found.st_uid + 1, found.st_gid + 1, *found[6:]), times)

    monkeypatch.setattr(os, "fstat", made_by_another)
    apply_patch(patch)
    assert given == [(patch.path.stat().st_uid, patch.path.stat().st_gid)]


def test_a_file_that_cannot_be_given_back_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patch = patch_of(project(tmp_path, SAY), "New {{ text }}", tmp_path)

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchmod", refuse)
    with pytest.raises(PatchError) as caught:
        apply_patch(patch)
    assert caught.value.code == "patch-write" and patch.path.read_bytes() == patch.old


def test_a_file_marked_as_read_only_is_left_alone(tmp_path: Path) -> None:
    patch = patch_of(project(tmp_path, SAY), "New {{ text }}", tmp_path)
    patch.path.chmod(0o444)
    with pytest.raises(PatchError) as caught:
        apply_patch(patch)
    assert caught.value.code == "patch-write" and patch.path.read_bytes() == patch.old


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_disk_that_fails_leaves_the_old_file_and_nothing_beside_it(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patch = patch_of(project(tmp_path, SAY), "New {{ text }}", tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(PatchError) as caught:
        apply_patch(patch)
    assert caught.value.code == "patch-write" and "No space left" in str(caught.value)
    assert patch.path.read_bytes() == patch.old
    assert [path.name for path in tmp_path.iterdir()] == ["chains.py"]


def test_python_does_not_take_its_compiled_file_for_the_patched_one(tmp_path: Path) -> None:
    file = tmp_path / "chains.py"
    file.write_text(HEAD + SAY)
    script = [sys.executable, "-c", "import chains; print(chains.say.program().spec.steps[0].messages[0].template)"]

    def declared() -> str:
        return subprocess.run(script, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()

    assert declared() == "Say {{ text }}"
    now = int(file.stat().st_mtime)
    os.utime(file, (now, now))
    subprocess.run([sys.executable, "-m", "compileall", "-q", "-f", file], check=True)
    apply_patch(patch_of(declare(file), "SAY {{ text }}", tmp_path))
    assert declared() == "SAY {{ text }}"
