"""The bytes of JSON values: one name for one value, whichever way it was encoded."""

from __future__ import annotations

import pytest

from chainlab.values.codec import Json, decode, encode, encode_texts


def request(text: str) -> Json:
    """A request as the engine records it."""
    segments = [text, {"t": text, "v": "order.items[2]"}, {"p": "0f" * 20, "v": "text", "at": ["a", 3]}]
    parameters = {"model": text, "temperature": 0.7, "max_tokens": 256, "seed": 2**40, "stop": [text], "logprobs": True}
    return {
        "messages": [{"role": "user", "segments": segments}, {"role": "system", "segments": []}],
        "parameters": parameters,
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        'quo"ted \\ back',
        "line\nbreak\ttab",
        "\0\x01\x1f\x7f",
        "é ü 漢字 😀",
        "\u2028\u2029\ufeff",
        "lone \ud800",
    ],
)
def test_a_request_has_the_same_bytes_from_both_encoders(text: str) -> None:
    assert encode_texts(request(text)) == encode(request(text))
    assert decode(encode_texts(request(text))) == request(text)


def test_a_value_too_deep_for_the_quick_encoder_is_encoded_all_the_same() -> None:
    deep: Json = "end"
    for _ in range(400):
        deep = [deep]
    assert encode_texts(deep) == encode(deep)


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes"])
def test_what_is_not_json_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        encode(value)
