"""What can be configured, as data. Knows names of backends, never a backend.

For example:

    default_model = "small"

    [models]
    small = "embedded:smollm2-135m-instruct"
    big = { backend = "vllm", base = "llama-3", adapter = "tickets@2", path = "adapters/tickets-2", autoload = true }
    own = { path = "models/own.gguf" }

    [backends.hosted]
    kind = "openai"
    base_url = "https://models.example.com/v1"
    api_key_env = "HOSTED_KEY"          # the name of a variable; a key itself never stands in a file
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from chainlab.spec.budget import Budget
from chainlab.spec.model import ModelRef

CONFIG_FILE = "chainlab.toml"
DEFAULT_MODEL = "embedded:smollm2-135m-instruct"

HttpKind: TypeAlias = Literal["openai", "vllm", "anthropic", "gemini"]
HTTP_KINDS: tuple[HttpKind, ...] = ("openai", "vllm", "anthropic", "gemini")
KINDS: tuple[str, ...] = (*HTTP_KINDS, "embedded")
"""What is built in. Any other kind is a package's (entry point `chainlab.backends`)."""


@dataclass(frozen=True, slots=True)
class BackendConfig:
    """One backend's settings. None: the backend's own default. `options` are for kinds of other packages."""

    name: str
    kind: str
    base_url: str | None = None
    api_key_env: str | None = None
    concurrency: int | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    timeout: float | None = None
    connect_timeout: float | None = None
    first_token_timeout: float | None = None
    token_timeout: float | None = None
    retries: int = 3
    structured: Literal["json_schema", "json_object", "none"] | None = None
    metrics: bool = False
    count_tokens: bool = False
    threads: int | None = None
    n_ctx: int | None = None
    memory_mb: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where a server is, without the query, which may hold a key."""
        return (self.base_url or "").partition("?")[0]


@dataclass(frozen=True, slots=True)
class ModelAlias:
    """A name for a model, with the limit that goes with it, and where its adapter is."""

    name: str
    ref: ModelRef
    max_tokens: int | None = None
    adapter_path: Path | None = None
    autoload: bool = False


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs, in units for a million tokens. `cached`: of prompt tokens that need not be read again."""

    input: float
    output: float
    cached: float | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that is configured for a project. `file` None: there is no chainlab.toml.

    `budget` holds for every run; `budgets` for the runs of single chains, by their names; `prices` are by `backend` or
    `backend:model`.
    """

    root: Path
    file: Path | None = None
    default_model: str = DEFAULT_MODEL
    models: Mapping[str, ModelAlias] = field(default_factory=lambda: MappingProxyType({}))
    backends: Mapping[str, BackendConfig] = field(default_factory=lambda: BUILT_IN_BACKENDS)
    prices: Mapping[str, Price] = field(default_factory=lambda: MappingProxyType({}))
    budget: Budget | None = None
    budgets: Mapping[str, Budget] = field(default_factory=lambda: MappingProxyType({}))


BUILT_IN_BACKENDS: Mapping[str, BackendConfig] = MappingProxyType(
    {
        "embedded": BackendConfig("embedded", "embedded", retries=0),  # nothing between us and it that could fail
        "openai": BackendConfig("openai", "openai", "https://api.openai.com/v1", "OPENAI_API_KEY"),
        "vllm": BackendConfig("vllm", "vllm", "http://127.0.0.1:8000/v1"),
        "anthropic": BackendConfig("anthropic", "anthropic", "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY"),
        "gemini": BackendConfig(
            "gemini", "gemini", "https://generativelanguage.googleapis.com/v1beta", "GEMINI_API_KEY"
        ),
    }
)
