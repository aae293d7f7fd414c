"""chainlab: compose prompts into typed chains, see every step, replay the one that went wrong.

A name loads what it needs when it is first used: a file with a chain loads pydantic and jinja2 and no database, the
command line neither.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from chainlab.runner import set_default_runner

if TYPE_CHECKING:
    from chainlab.backends.scripted import ScriptedBackend
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
    from chainlab.declare.step import Step, step
    from chainlab.errors import ChainError, ChainlabError, ConfigError, PatchError, ReplayError, RunFailed, StoreError
    from chainlab.lab.lab import Lab
    from chainlab.messages import Request
    from chainlab.protocols import Runner
    from chainlab.run import Run, RunStream
    from chainlab.spec.budget import Budget
    from chainlab.spec.chain import ChainSpec
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

_NAMES = {
    "backends.scripted": "ScriptedBackend",
    "declare.branch": "given not_ route when",
    "declare.chain": "Chain chain",
    "declare.each": "each",
    "declare.held": "Grammar Pattern",
    "declare.images": "Image",
    "declare.loaded": "load_chain",
    "declare.make": "make",
    "declare.messages": "Message assistant system user",
    "declare.prompt": "Prompt fill prompt",
    "declare.refine": "refine",
    "declare.refined": "Refined",
    "declare.step": "Step step",
    "errors": "ChainError ChainlabError ConfigError PatchError ReplayError RunFailed StoreError",
    "lab.lab": "Lab",
    "messages": "Request",
    "run": "Run RunStream",
    "spec.budget": "Budget",
    "spec.chain": "ChainSpec",
    "spec.edit": "Edit",
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module 'chainlab' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"chainlab.{module}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _default_runner() -> Runner:
    from chainlab.lab.default import default_lab

    return default_lab()


set_default_runner(_default_runner)
