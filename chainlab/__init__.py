"""chainlab: compose prompts into typed chains, see every step, replay the one that went wrong.

Imports pydantic and jinja2 only; a lab, a backend, the engine load on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainlab.declare.branch import given, not_, route, when
from chainlab.declare.chain import Chain, chain
from chainlab.declare.each import each
from chainlab.declare.held import Grammar, Pattern
from chainlab.declare.images import Image
from chainlab.declare.loaded import load_chain
from chainlab.declare.make import make
from chainlab.declare.messages import Message, assistant, system, user
from chainlab.declare.prompt import Prompt, fill, prompt
from chainlab.declare.refine import refine
from chainlab.declare.refined import Refined
from chainlab.declare.runnable import set_default_runner
from chainlab.declare.step import Step, step
from chainlab.errors import ChainError, ChainlabError, ConfigError, PatchError, ReplayError, RunFailed, StoreError
from chainlab.run import Run, RunStream
from chainlab.spec.budget import Budget
from chainlab.spec.chain import ChainSpec

if TYPE_CHECKING:
    from chainlab.backends.scripted import ScriptedBackend
    from chainlab.lab.lab import Lab
    from chainlab.messages import Request
    from chainlab.protocols import Runner
    from chainlab.spec.edit import Edit

__version__ = "0.1.0"

__all__ = [
    "Budget",
    "Chain",
    "ChainError",
    "ChainSpec",
    "ChainlabError",
    "ConfigError",
    "Edit",
    "Grammar",
    "Image",
    "Lab",
    "Message",
    "PatchError",
    "Pattern",
    "Prompt",
    "Refined",
    "ReplayError",
    "Request",
    "Run",
    "RunFailed",
    "RunStream",
    "ScriptedBackend",
    "Step",
    "StoreError",
    "assistant",
    "chain",
    "each",
    "fill",
    "given",
    "load_chain",
    "make",
    "not_",
    "prompt",
    "refine",
    "route",
    "step",
    "system",
    "user",
    "when",
]

_LAZY = {
    "Edit": "chainlab.spec.edit",
    "Lab": "chainlab.lab.lab",
    "Request": "chainlab.messages",
    "ScriptedBackend": "chainlab.backends.scripted",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'chainlab' has no attribute {name!r}")


def _default_runner() -> Runner:
    from chainlab.lab.default import default_lab

    return default_lab()


set_default_runner(_default_runner)
