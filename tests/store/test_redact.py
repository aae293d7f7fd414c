"""Secrets leave text and JSON; everything else stays byte for byte."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainlab.values.codec import Value, decode
from chainlab.values.redact import MARK, Redactor

KEY = "proj-0123456789abcdef"
guessing = Redactor()
knowing = Redactor([KEY])


def test_a_known_secret_leaves_texts_keys_and_values() -> None:
    assert knowing.text(f"Bad key {KEY}!") == f"Bad key {MARK}!"
    assert knowing.exact.json({KEY: [f"a{KEY}b", 1, None, {"x": KEY}]}) == {
        MARK: [f"a{MARK}b", 1, None, {"x": MARK}],
    }


def test_a_short_value_is_no_secret() -> None:
    assert Redactor(["none", "dummy", ""]).exact.text("none of the dummy keys") == "none of the dummy keys"


def test_of_two_secrets_the_longer_goes_first() -> None:
    both = Redactor(["abcdefgh", "abcdefgh12345"]).exact
    assert both.text("x abcdefgh12345 y abcdefgh z") == f"x {MARK} y {MARK} z"


@pytest.mark.parametrize(
    ("text", "gone", "stays"),
    [
        ("Authorization: Bearer abc.def-123456", "abc.def", "Authorization: "),
        ("{'authorization': 'Basic dXNlcjpwYXNz'}", "dXNlcjpwYXNz", "authorization"),
        ('"Proxy-Authorization":"token abcdef123456"', "abcdef123456", "Proxy"),
        ("sent bearer abcdefgh12345678 to it", "abcdefgh12345678", "sent bearer "),
        ("x-api-key: 0123456789", "0123456789", "x-api-key: "),
        ('{"api_key": "0123456789"}', "0123456789", "api_key"),
        ("GET https://ann:pa55@host.example/v1?x=1", "pa55", "host.example/v1?x=1"),
        ("GET https://pa55token@host.example/v1", "pa55token", "https://"),
        ("GET /v1?key=AbC123&model=m", "AbC123", "model=m"),
        ("GET /v1?a=1&access_token=AbC123#top", "AbC123", "#top"),
        ("GET /b?sig=AbC%2B123&se=2026", "AbC%2B123", "se=2026"),
        ("Incorrect API key provided: sk-proj-abcdefgh1234.", "abcdefgh1234", "Incorrect API key provided"),
        ("Incorrect API key provided: sk-abcd********wxyz", "wxyz", "Incorrect"),
        ("token hf_AbCdEfGhIjKlMn is wrong", "hf_AbCd", "is wrong"),
        ("ghp_AbCdEfGhIjKlMn0123", "ghp_AbCd", ""),
        ("key AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE", "key"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", "eyJhbGci", ""),
    ],
)
def test_patterns_take_secrets_out_of_error_texts(text: str, gone: str, stays: str) -> None:
    clean = guessing.text(text)
    assert gone not in clean
    assert MARK in clean
    assert stays in clean


@pytest.mark.parametrize(
    "text",
    [
        "Rate limit reached for requests. Try again in 20 s.",
        "model 'gpt-x' does not exist; see https://host.example/docs?page=2#keys",
        "context of 8192 tokens exceeded: 9001 tokens",
        "the key of the dict is missing",
        "task-force and disk-full",
    ],
)
def test_patterns_leave_ordinary_error_texts_alone(text: str) -> None:
    assert guessing.text(text) == text


def test_a_field_with_a_secrets_name_is_taken_out_of_an_error_body() -> None:
    body = {"error": {"headers": {"Authorization": "abc", "X-Api-Key": "k", "Cookie": "c"}, "message": "no"}}
    clean = guessing.json(body)["error"]
    assert clean == {"headers": {"Authorization": MARK, "X-Api-Key": MARK, "Cookie": MARK}, "message": "no"}


def test_exact_never_guesses() -> None:
    text = "Authorization: Bearer abcdefgh1234 sk-abcdefgh1234"
    assert knowing.exact.text(text) == text
    assert knowing.exact.json({"token": text}) == {"token": text}


def test_a_value_without_secrets_is_the_same_object() -> None:
    value = Value({"a": "b" * 500})
    assert knowing.exact.value(value) is value
    assert guessing.value(value) is value


@given(st.text(min_size=8))
def test_any_known_secret_leaves_any_payload(secret: str) -> None:
    clean = Redactor([secret]).exact.value(Value({"a": [f"before {secret} after", "\udfff"], "b": 1}))
    assert decode(clean.body) == {"a": [f"before {MARK} after", "\udfff"], "b": 1}


def test_an_ordinary_page_of_text_costs_microseconds() -> None:
    page = Value("It was the best of times, it was the worst of times. " * 70)
    page.body  # noqa: B018  (made once, before)
    best = min(_cpu_seconds(lambda: [knowing.exact.value(page) for _ in range(100)]) for _ in range(10))
    assert best / 100 < 100e-6  # measured: 7


def test_a_hostile_error_text_is_cleaned_in_linear_time() -> None:
    parts = ("authorization:", "https://a", "a+", "?key=", "eyJaaaaaaaaaa-", "sk-", "token ", "bearer  ", "api_key: ")
    hostile = ["token" + part * (60_000 // len(part)) for part in parts]
    assert _cpu_seconds(lambda: [guessing.text(text) for text in hostile]) < 5  # measured: 0.13


def _cpu_seconds(work: Callable[[], object]) -> float:
    """What this thread has computed; others on the machine do not count."""
    start = time.thread_time()
    work()
    return time.thread_time() - start
