"""The built-in model's GGUF as a folder that vLLM serves: safetensors, tokenizer, chat template. Run in vLLM's venv.

    python weights.py MODEL.gguf FOLDER

No hub: transformers reads the GGUF itself. It keeps the quantiser on the model and then refuses to save it, so that is
taken off; the weights are plain by then.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"


def main(source: Path, folder: Path) -> None:
    """Convert. Writes into a folder beside and renames it: what is there is whole."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

    place, name = str(source.resolve().parent), source.name
    tokenizer = AutoTokenizer.from_pretrained(place, gguf_file=name)
    model = AutoModelForCausalLM.from_pretrained(place, gguf_file=name, dtype=torch.float32)
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.config._name_or_path = source.stem
    model.config.dtype = torch.bfloat16
    model.generation_config = GenerationConfig(bos_token_id=1, eos_token_id=2, pad_token_id=2)
    weights = {
        key: value.to(torch.bfloat16).contiguous()
        for key, value in model.state_dict().items()
        if key != "lm_head.weight"  # tied to the embeddings
    }
    half = folder.with_suffix(".part")
    model.save_pretrained(half, state_dict=weights)
    tokenizer.save_pretrained(half)
    half.rename(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
