"""A vLLM played by what a real one (0.32) was recorded to answer: adapters that come and go, one 404 for both."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx

METRICS = """# HELP vllm:num_requests_running Number of requests in model execution batches.
vllm:num_requests_running{engine="0",model_name="smollm2"} 1.0
vllm:num_requests_running{engine="1",model_name="smollm2"} 2.0
vllm:num_requests_waiting{engine="0",model_name="smollm2"} 4.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="smollm2",reason="capacity"} 1.0
vllm:kv_cache_usage_perc{engine="0",model_name="smollm2"} 0.0055248618784530246
vllm:kv_cache_usage_perc{engine="1",model_name="smollm2"} 0.5
"""
LIMIT = 2048


@dataclass
class Play:
    """The server's state. `requests`: path and body of all that came. `updating`: whether adapters may be loaded."""

    adapters: dict[str, str] = field(default_factory=dict)
    updating: bool = True
    says: str = "CAT=billing"
    unload_after: int | None = None
    requests: list[tuple[str, Any]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        body: Any = json.loads(request.content) if request.content else None
        self.requests.append((path, body))
        match path:
            case "/v1/models":
                return httpx.Response(200, json=self._models())
            case "/metrics":
                return httpx.Response(200, text=METRICS)
            case "/tokenize":
                size = len(json.dumps(body["messages"]))
                return httpx.Response(200, json={"count": size, "max_model_len": LIMIT, "tokens": []})
            case "/v1/load_lora_adapter" if self.updating:
                return self._load(body["lora_name"], body["lora_path"])
            case "/v1/chat/completions":
                return self._chat(body)
        return httpx.Response(404, json={"detail": "Not Found"})

    def paths(self, path: str) -> list[Any]:
        """The bodies of the requests to a path."""
        return [body for asked, body in self.requests if asked == path]

    def _models(self) -> dict[str, Any]:
        base = {"id": "smollm2", "object": "model", "owned_by": "vllm", "root": "models/smollm2", "parent": None,
                "max_model_len": LIMIT}  # fmt: skip
        adapters = [
            {"id": name, "object": "model", "owned_by": "vllm", "root": "adapters/x", "parent": parent}
            for name, parent in self.adapters.items()
        ]
        return {"object": "list", "data": [base, *adapters]}

    def _load(self, name: str, path: str) -> httpx.Response:
        if "nowhere" in path:
            return _error(404, f"Loading lora {name} failed: No adapter found for {path}", "NotFoundError", None)
        if name in self.adapters:
            return _error(400, f"The lora adapter '{name}' has already been loaded.", "InvalidUserInput", None)
        self.adapters[name] = "smollm2"
        return httpx.Response(200, content=f"Success: LoRA adapter '{name}' added successfully.".encode())

    def _chat(self, body: Any) -> httpx.Response:
        if self.unload_after is not None:
            if self.unload_after == 0:
                self.adapters.clear()
                self.unload_after = None
            else:
                self.unload_after -= 1
        model = body["model"]
        if model != "smollm2" and model not in self.adapters:
            return _error(404, f"The model `{model}` does not exist.", "NotFoundError", "model")
        held = body.get("structured_outputs") or {}
        text = held["choice"][0] if "choice" in held else self.says
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 30, "completion_tokens": 8, "prompt_tokens_details": {"cached_tokens": 16}}
        return httpx.Response(200, json={"id": "chatcmpl-1", "model": model, "choices": [choice], "usage": usage})


def _error(status: int, message: str, kind: str, param: str | None) -> httpx.Response:
    return httpx.Response(status, json={"error": {"message": message, "type": kind, "param": param, "code": status}})
