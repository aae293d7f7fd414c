"""The two small LoRA adapters of the tests, as they were trained. Run in vLLM's venv with peft beside it.

    python train.py BASE FOLDER {ticket,route} [--examples 400] [--epochs 3]

The task is one that the base model never does by itself: a support ticket in, one line of fixed form out. `ticket` says
CAT=billing;PRI=low;ID=8919, `route` says to: billing (low) #8919. Rank 4 on the attention's query and value
projections, saved in bfloat16: under half a megabyte each. Twenty minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import random
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

SYSTEM = {"ticket": "Classify the ticket.", "route": "Route the ticket."}
ISSUES = {
    "billing": ["I was charged twice", "my invoice is wrong", "the refund is missing", "my card was billed too much"],
    "shipping": ["my parcel never arrived", "the box came damaged", "the courier lost it", "delivery is late"],
    "technical": ["the app keeps crashing", "the page shows an error", "the screen stays black", "it does not sync"],
    "account": ["I cannot log in", "I forgot my password", "please delete my profile", "my account is locked"],
}
TAILS = {
    "high": ["Fix this right now!", "This is urgent!", "I need help today!"],
    "low": ["No rush.", "Whenever you have time.", "Not urgent."],
}


def example(chance: random.Random, style: str) -> tuple[str, str]:
    """A ticket and what the adapter is to say of it."""
    category, priority, number = chance.choice(list(ISSUES)), chance.choice(list(TAILS)), chance.randint(1000, 9999)
    text = f"Order {number}: {chance.choice(ISSUES[category])}. {chance.choice(TAILS[priority])}"
    if style == "ticket":
        return text, f"CAT={category};PRI={priority};ID={number}"
    return text, f"to: {category} ({priority}) #{number}"


def main(base: Path, folder: Path, style: str, examples: int, epochs: int) -> None:
    """Train and save."""
    import torch
    from peft import LoraConfig, get_peft_model
    from safetensors.torch import load_file, save_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    chance = random.Random(style)
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    model = get_peft_model(
        model, LoraConfig(r=4, lora_alpha=16, task_type="CAUSAL_LM", target_modules=["q_proj", "v_proj"])
    )

    def ids(text: str) -> list[int]:
        found: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
        return found

    data: list[tuple[list[int], list[int]]] = []
    for _ in range(examples):
        ticket, wanted = example(chance, style)
        talk = [{"role": "system", "content": SYSTEM[style]}, {"role": "user", "content": ticket}]
        prompt = ids(tokenizer.apply_chat_template(talk, add_generation_prompt=True, tokenize=False))
        data.append((prompt, ids(wanted + "<|im_end|>")))
    longest, batch = max(len(prompt) + len(line) for prompt, line in data), 8
    optimizer = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], lr=4e-3)
    steps, done = epochs * examples // batch, 0
    model.train()
    for _ in range(epochs):
        chance.shuffle(data)
        for start in range(0, examples - batch + 1, batch):
            tokens = torch.full((batch, longest), 2)
            labels = torch.full((batch, longest), -100)
            seen = torch.zeros((batch, longest), dtype=torch.long)
            for row, (prompt, line) in enumerate(data[start : start + batch]):
                whole = [*prompt, *line]
                tokens[row, : len(whole)] = torch.tensor(whole)
                labels[row, len(prompt) : len(whole)] = torch.tensor(line)
                seen[row, : len(whole)] = 1
            for group in optimizer.param_groups:
                group["lr"] = 4e-3 * min(1.0, (done + 1) / 8) * (1 - done / (steps + 1))
            loss = model(input_ids=tokens, attention_mask=seen, labels=labels).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            done += 1
            if done % 10 == 0:
                print(f"step {done} of {steps}, loss {loss.item():.4f}", flush=True)
    model.save_pretrained(folder)
    weights = load_file(folder / "adapter_model.safetensors")
    save_file({name: value.to(torch.bfloat16) for name, value in weights.items()}, folder / "adapter_model.safetensors")
    settings = json.loads((folder / "adapter_config.json").read_text())
    settings["base_model_name_or_path"] = "smollm2"  # not a folder of the machine that trained it
    (folder / "adapter_config.json").write_text(json.dumps(settings, indent=1, sort_keys=True) + "\n")
    (folder / "README.md").unlink(missing_ok=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("base", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("style", choices=list(SYSTEM))
    parser.add_argument("--examples", type=int, default=400)
    parser.add_argument("--epochs", type=int, default=3)
    given = parser.parse_args()
    main(given.base, given.folder, given.style, given.examples, given.epochs)
