from chainlab import chain, fill, prompt, step


@prompt(
    "Write about {{ topic }}.",
    system="Be brief.",
    name="writer",
    model=["big", "small"],
    temperature=0,
    max_tokens=100,
    stop=["END"],
    seed=7,
    top_p=0.9,
    retries=0,
    feedback="Try again: {{ errors }}",
    logprobs=True,
    timeout=2.5,
    cache=True,
    tags=["draft"],
)
def write(topic: str) -> str: return fill()


@step(name="save", effects="ask", retries=2, timeout=10, tags=("io",))
def publish(text: str) -> bool: return bool(text)


@step()
def tidy(text: str) -> str: return text.strip()


@chain(tags=["page"])
def page(topic: str) -> bool:
    draft = write.with_(model="openai:gpt-x", temperature=0.7, stop=["."], name="draft")(topic)
    hot = write.with_(name="hot", model="vllm:base+lora", seed=1, top_p=1.0, retries=3, timeout=1, cache=False)(draft)
    return publish.with_(name="store", retries=0)(tidy(write(hot)))
