"""Diffs of texts: exact, readable, and bounded for huge ones."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainlab.compare import text as module
from chainlab.compare.sequence import Effort
from chainlab.compare.text import TextDiff, diff_texts

words = st.lists(st.sampled_from(["tea", "bread", " ", "\n", "é", "茶", ".", "\r\n", "\ud800"]), max_size=30).map(
    "".join
)
texts = st.one_of(st.text(), words)


def first(diff: TextDiff) -> str:
    return "".join(chunk.text for chunk in diff.chunks if chunk.op != "added")


def second(diff: TextDiff) -> str:
    return "".join(chunk.text for chunk in diff.chunks if chunk.op != "removed")


def shown(diff: TextDiff) -> list[tuple[str, str]]:
    """The chunks, with the changed words in brackets."""
    return [
        (chunk.op, "".join(f"[{span.text}]" if span.changed else span.text for span in chunk.spans))
        for chunk in diff.chunks
    ]


@settings(deadline=None)
@given(texts, texts, st.integers(0, 2_000))
def test_the_chunks_join_to_the_exact_texts(before: str, after: str, steps: int) -> None:
    diff = diff_texts(before, after, Effort(steps))
    assert (first(diff), second(diff)) == (before, after)
    assert diff.same == (before == after)


@settings(deadline=None)
@given(texts, texts)
def test_without_lines_they_join_to_the_exact_texts_too(before: str, after: str) -> None:
    if before == after:
        return
    diff = module._ends(before, after)
    assert (first(diff), second(diff), diff.coarse) == (before, after, "text")
    whole = [chunk.text for chunk in diff.chunks if chunk.op == "same"]
    assert all(text.endswith("\n") for text in whole[:-1])


@settings(deadline=None)
@given(texts, texts)
def test_what_is_marked_as_kept_is_equal_on_both_sides(before: str, after: str) -> None:
    diff = diff_texts(before, after)
    for old, new in zip(diff.chunks, diff.chunks[1:], strict=False):
        if (old.op, new.op) == ("removed", "added"):
            kept = ["".join(span.text for span in chunk.spans if not span.changed) for chunk in (old, new)]
            assert kept[0] == kept[1]


def test_lines_are_compared_and_words_within_changed_lines() -> None:
    before = "Summarise the text.\nBe brief.\nUse English.\n"
    after = "Summarise the text.\nBe very brief.\nUse English.\nNo lists.\n"
    diff = diff_texts(before, after)
    assert shown(diff) == [
        ("same", "Summarise the text.\n"),
        ("removed", "Be brief.\n"),
        ("added", "Be [very ]brief.\n"),
        ("same", "Use English.\n"),
        ("added", "[No lists.\n]"),
    ]
    assert (diff.removed, diff.added, diff.coarse) == (1, 2, None)
    assert [(chunk.line_a, chunk.line_b) for chunk in diff.chunks] == [(1, 1), (2, None), (None, 2), (3, 3), (None, 4)]


def test_a_rewritten_line_is_marked_as_a_whole() -> None:
    diff = diff_texts("The harbour of Bergen is wet.", "Nobody knows what a lighthouse costs, or to whom.")
    assert [chunk.spans[0].changed for chunk in diff.chunks] == [True, True]
    assert [len(chunk.spans) for chunk in diff.chunks] == [1, 1]


def test_scripts_without_spaces_are_compared_sign_by_sign() -> None:
    assert shown(diff_texts("我喜欢喝茶", "我喜欢喝酒")) == [("removed", "我喜欢喝[茶]"), ("added", "我喜欢喝[酒]")]


def test_a_line_break_at_the_end_is_a_difference() -> None:
    assert shown(diff_texts("tea", "tea\n")) == [("removed", "tea"), ("added", "tea[\n]")]


def test_a_long_text_with_a_small_change_is_compared_exactly() -> None:
    lines = [f"line {n} of the story\n" for n in range(30_000)]
    changed = [*lines[:10], *lines[20:15_000], "something new\n", *lines[15_000:]]
    diff = diff_texts("".join(lines), "".join(changed))
    assert (diff.removed, diff.added, diff.coarse) == (10, 1, None)


def test_texts_with_too_many_changed_words_are_compared_by_lines_only() -> None:
    before = "keep\n" + " ".join(f"a{n % 9}" for n in range(30_000))
    after = "keep\n" + " ".join(f"a{n * n % 9}" for n in range(30_000))
    diff = diff_texts(before, after)
    assert (first(diff), second(diff), diff.coarse) == (before, after, "words")
    assert shown(diff)[0] == ("same", "keep\n")


def test_texts_with_too_many_changed_lines_say_so() -> None:
    before = "".join(f"{n % 97}\n" for n in range(20_000))
    after = "".join(f"{n * n % 97}\n" for n in range(20_000))
    diff = diff_texts(before, after, Effort(10_000))
    assert (first(diff), second(diff), diff.coarse) == (before, after, "lines")


def test_of_huge_texts_only_the_beginning_and_end_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 1_000)
    lines = [f"line {n}\n" for n in range(200)]
    diff = diff_texts("".join(lines), "".join([*lines[:50], "x\n", *lines[60:150], "y\n", *lines[151:]]))
    assert [chunk.op for chunk in diff.chunks] == ["same", "removed", "added", "same"]
    assert diff.chunks[0].text == "".join(lines[:50])
    assert (diff.coarse, diff.removed, diff.added) == ("text", 101, 92)
