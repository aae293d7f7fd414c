"""An adapter as PEFT saves it, as the GGUF that llama.cpp loads. Run in vLLM's venv (it has gguf, torch, safetensors).

    python to_gguf.py FOLDER FILE.gguf HEADS

llama.cpp keeps the rotary halves of a head interleaved: the rows of the query projection change their order with it.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

NAMES = {"q_proj": "attn_q", "v_proj": "attn_v"}
_KEY = re.compile(r"\.layers\.(\d+)\.self_attn\.(\w+)\.lora_(A|B)\.weight$")


def main(folder: Path, file: Path, heads: int) -> None:
    """Convert."""
    import gguf
    import numpy as np
    import torch
    from safetensors.torch import load_file

    settings = json.loads((folder / "adapter_config.json").read_text())
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(settings["lora_alpha"]))
    for key, value in sorted(load_file(folder / "adapter_model.safetensors").items()):
        found = _KEY.search(key)
        assert found is not None, key
        layer, part, side = found.groups()
        weight: Any = value.to(torch.float32).numpy()
        if side == "B" and part == "q_proj":
            rows, rank = weight.shape
            weight = weight.reshape(heads, 2, rows // heads // 2, rank).swapaxes(1, 2).reshape(rows, rank)
        name = f"blk.{layer}.{NAMES[part]}.weight.lora_{side.lower()}"
        writer.add_tensor(name, np.ascontiguousarray(weight.astype(np.float16)))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
