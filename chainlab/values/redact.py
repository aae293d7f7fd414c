"""Takes secrets out of text and JSON before they are hashed and stored. Knows no provider and no configuration.

Two strengths. Known secrets (the very values of configured keys) are taken out everywhere. Patterns (headers, URL
keys, token shapes) are guesses: they are for errors and for what servers answer to a refused call, never for a user's
own text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from chainlab.values.codec import Json, Value, encode

MARK = "[redacted]"

SHORTEST = 8
"""Shorter values are no secrets (`none`, `dummy`): taking them out would mangle text everywhere."""

_NAMES = (
    r"(?:x[-_]api[-_]key|api[-_]?key|access[-_]token|refresh[-_]token|client[-_]secret|auth[-_]?token"
    r"|password|secret|token|sig)"
)

# Every part that something must follow is bounded: texts come from servers, and a commit waits for this.
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # Authorization: Bearer abc / 'Authorization': 'Basic abc' / "authorization":"abc"
    (
        re.compile(
            r"(?i)\b((?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?)(?:(?:bearer|basic|token)\s+)?[^\s\"',;}\]]+"
        ),
        rf"\1{MARK}",
    ),
    (re.compile(r"(?i)\b(bearer\s+)[A-Za-z0-9._~+/=-]{8,}"), rf"\1{MARK}"),
    # x-api-key: abc / "api_key": "abc" / password=abc
    (re.compile(rf"(?i)\b({_NAMES}[\"']?\s*:\s*[\"']?)[^\s\"',;&}}\]]{{6,}}"), rf"\1{MARK}"),
    # https://user:password@host
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,20}://)[^\s/@\"'<>]{1,500}@"), rf"\1{MARK}@"),
    # ?key=abc&token=abc
    (re.compile(rf"(?i)([?&](?:key|{_NAMES})=)[^\s&#\"'<>]+"), rf"\1{MARK}"),
    # Token shapes: OpenAI, Anthropic, Hugging Face, GitHub, GitLab, Slack, AWS, Google, JWT
    (re.compile(r"\bsk-[A-Za-z0-9_*-]{8,}"), MARK),
    (re.compile(r"\b(?:hf|gsk|xai|r8|ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{8,}"), MARK),
    (re.compile(r"\bgithub_pat_[A-Za-z0-9_]{8,}|\bglpat-[A-Za-z0-9_-]{8,}|\bxox[abprs]-[A-Za-z0-9-]{8,}"), MARK),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[A-Za-z0-9_-]{30,}"), MARK),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]+"), MARK),
)

# Every rule needs one of these to match: one scan decides whether the rules run at all.
_HINT = re.compile(
    r"(?i)authorization|bearer|key|token|secret|password|sig=|sig[\"']?\s*:|://|sk-|hf_|gsk_|xai_|r8_|gh[pousr]_|github_pat_"
    r"|glpat-|xox|akia|asia|aiza|eyj"
)

_KEY_NAME = re.compile(rf"(?i)key|code|subscription-key|{_NAMES}")
_SECRET_FIELD = re.compile(rf"(?i)(?:proxy-)?authorization|{_NAMES}|(?:set-)?cookie")


def secrets_in_url(url: str) -> list[str]:
    """The values in a URL's query that are keys, by their names: as they are written there, and as they are meant."""
    found = []
    for part in urlsplit(url).query.split("&"):
        name, _, value = part.partition("=")
        if value and _KEY_NAME.fullmatch(unquote_plus(name)):
            found += [value, unquote_plus(value)]
    return list(dict.fromkeys(found))


class Redactor:
    """Replaces secrets by `[redacted]`: `known` are exact values; `patterns` adds the rules for errors."""

    def __init__(self, known: Iterable[str] = (), *, patterns: bool = True) -> None:
        self._known = tuple(sorted({s for s in known if len(s) >= SHORTEST}, key=len, reverse=True))
        self._patterns = patterns
        forms = {form for secret in self._known for form in _json_forms(secret)}
        self._bytes = tuple(forms)

    @property
    def exact(self) -> Redactor:
        """The same known secrets without patterns: for what users and models wrote."""
        return Redactor(self._known, patterns=False)

    def text(self, text: str) -> str:
        """A text without secrets; the same object when there are none."""
        for secret in self._known:
            if secret in text:
                text = text.replace(secret, MARK)
        if self._patterns and _HINT.search(text):
            for rule, replacement in _RULES:
                text = rule.sub(replacement, text)
        return text

    def json(self, value: Json) -> Json:
        """A JSON value without secrets, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self._field(key, part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [self.json(part) for part in value]
        return value

    def value(self, value: Value) -> Value:
        """A Value without secrets; the same object when there are none."""
        if self._patterns:
            clean = self.json(value.json)
            return value if clean == value.json else Value(clean)
        if not self._bytes:
            return value
        body = value.body
        for form in self._bytes:
            if form in body:
                return Value(self.json(value.json))
        return value

    def _field(self, key: str, part: Any) -> Json:
        if self._patterns and isinstance(part, str) and part and _SECRET_FIELD.fullmatch(key):
            return MARK
        return self.json(part)


def _json_forms(secret: str) -> tuple[bytes, bytes]:
    # A payload is written plain, or escaped when it holds a lone surrogate: a secret may stand there in both forms.
    return encode(secret)[1:-1], encode(secret + "\ud800")[1:-7]
