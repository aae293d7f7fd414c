"""What an author may write to name a model."""

from __future__ import annotations

import pytest

from chainlab.errors import ConfigError
from chainlab.spec.model import ModelRef, parse_model_ref


@pytest.mark.parametrize(
    ("text", "name", "model", "adapter"),
    [
        ("small", "small", None, None),
        ("embedded", "embedded", None, None),
        ("embedded:smollm2-135m-instruct", "embedded", "smollm2-135m-instruct", None),
        ("vllm:llama+letters-lora", "vllm", "llama", "letters-lora"),
        ("vllm:llama+tickets@2", "vllm", "llama", "tickets@2"),
        ("hosted:org/model-7B:free", "hosted", "org/model-7B:free", None),
        ("hosted:c++/model", "hosted", "c++/model", None),
        ("embedded:path/to/model.gguf", "embedded", "path/to/model.gguf", None),
        ("embedded:a+b/model.gguf", "embedded", "a+b/model.gguf", None),
        ("embedded:model+q4.gguf", "embedded", "model+q4.gguf", None),
        ("embedded:C:\\models\\my model.gguf", "embedded", "C:\\models\\my model.gguf", None),
    ],
)
def test_a_reference_is_taken_apart(text: str, name: str, model: str | None, adapter: str | None) -> None:
    assert parse_model_ref(text) == ModelRef(text, name, model, adapter)


@pytest.mark.parametrize(
    "text",
    ["", "  ", " small", "small ", "sm all", ":model", "vllm:", "vllm:+tickets", "vllm:llama+", "vllm:a+b c", "a\nb"],
)
def test_a_bad_reference_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_model_ref(text)
    assert caught.value.code == "bad-model"
    assert caught.value.remedy
