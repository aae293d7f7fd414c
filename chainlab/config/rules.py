"""What each key of chainlab.toml may hold: a test, and the words for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from chainlab.config.settings import HTTP_KINDS, KINDS

Rule: TypeAlias = tuple[Callable[[Any], bool], str]

TEXT: Rule = (lambda v: isinstance(v, str) and bool(v.strip()), "text")
TABLE: Rule = (lambda v: isinstance(v, dict), "a table")
COUNT: Rule = (lambda v: type(v) is int and v >= 1, "a whole number from 1")
RETRIES: Rule = (lambda v: type(v) is int and v >= 0, "a whole number from 0")
SECONDS: Rule = (lambda v: type(v) in (int, float) and 0 < v < float("inf"), "seconds, more than 0")
MONEY: Rule = (lambda v: type(v) in (int, float) and 0 <= v < float("inf"), "a number from 0")
MOST_MONEY: Rule = (lambda v: type(v) in (int, float) and v > 0, "a number above 0")
FLAG: Rule = (lambda v: isinstance(v, bool), "true or false")
URL: Rule = (lambda v: isinstance(v, str) and v.startswith(("http://", "https://")), "an http:// or https:// address")
STRUCTURED: Rule = (lambda v: v in ("json_schema", "json_object", "none"), '"json_schema", "json_object" or "none"')

TOP: Mapping[str, Rule] = {
    "default_model": TEXT,
    "models": TABLE,
    "backends": TABLE,
    "prices": TABLE,
    "budget": TABLE,
    "budgets": TABLE,
}
ALIAS: Mapping[str, Rule] = {
    "backend": TEXT,
    "model": TEXT,
    "base": TEXT,
    "adapter": TEXT,
    "path": TEXT,
    "autoload": FLAG,
    "max_tokens": COUNT,
}
PRICE: Mapping[str, Rule] = {"input": MONEY, "output": MONEY, "cached": MONEY}
BUDGET: Mapping[str, Rule] = {
    "max_calls": COUNT,
    "max_tokens": COUNT,
    "max_cost": MOST_MONEY,
    "deadline": SECONDS,
}
BACKEND: Mapping[str, Rule] = {
    "kind": TEXT,
    "base_url": URL,
    "api_key_env": TEXT,
    "concurrency": COUNT,
    "requests_per_minute": COUNT,
    "tokens_per_minute": COUNT,
    "timeout": SECONDS,
    "connect_timeout": SECONDS,
    "first_token_timeout": SECONDS,
    "token_timeout": SECONDS,
    "retries": RETRIES,
    "structured": STRUCTURED,
    "metrics": FLAG,
    "count_tokens": FLAG,
    "threads": COUNT,
    "n_ctx": COUNT,
    "memory_mb": COUNT,
    "options": TABLE,
}
ONLY_FOR: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("timeout", "connect_timeout", "first_token_timeout", "token_timeout", "retries", "requests_per_minute"),
        HTTP_KINDS,
    ),
    "tokens_per_minute": HTTP_KINDS,
    "structured": ("openai",),
    "metrics": ("vllm",),
    "count_tokens": ("vllm",),
    "threads": ("embedded",),
    "n_ctx": ("embedded",),
    "memory_mb": ("embedded",),
}
"""Keys that say something to some of the built-in kinds only."""

NEVER_FOR: Mapping[str, tuple[str, ...]] = {
    "base_url": ("embedded",),
    "api_key_env": ("embedded",),
    "options": KINDS,  # for kinds of other packages
}
