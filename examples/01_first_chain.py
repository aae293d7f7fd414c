"""Two prompts in a row: describe a product from its facts, then turn the description into one line for a poster.

Run it:            python 01_first_chain.py
With your facts:   chainlab run 01_first_chain.py facts="a bicycle lamp, 30 hours of light, made in Ghent"
"""

from chainlab import chain, fill, prompt


@prompt("Describe this product in two sentences.\n\n{{ facts }}", temperature=0, seed=1, max_tokens=100)
def describe(facts: str) -> str:
    return fill()


@prompt(
    "Write one short line for a poster about this product.\n\n{{ description }}", temperature=0, seed=1, max_tokens=40
)
def advertise(description: str) -> str:
    return fill()


@chain
def poster(facts: str) -> str:
    """From facts to a line that sells."""
    return advertise(describe(facts))


if __name__ == "__main__":
    run = poster.run_sync(facts="a coffee grinder, made of steel, turned by hand, quiet, 290 grams")
    print(run.output)  # raises RunFailed, with the reason, if the run is not ok
    for step in run.steps.values():
        print(f"{step.path:<10} {step.status:<6} {(step.duration_us or 0) / 1e6:.1f} s")
    print(f"\nsee every prompt and reply: chainlab show {run.id} describe")
