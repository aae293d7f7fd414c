"""A run that fails at its last step because of its first: found, mended and kept in the inspector.

The front page may not speak of itself, says a rule in Python. The prompt of `summarise` calls the text a report and
asks for a summary, and a small model gives these words back. Then:

    chainlab run 06_front_page.py                        fails at `front_page`: it speaks of "report"
    chainlab inspect 06_front_page.py --allow-write      opens the run at the step that failed, and says why

There: `k` goes to the step before, `R` edits its prompt, Ctrl+Enter runs it and what follows, `K` keeps it as a patch.
"""

import re

from chainlab import chain, fill, prompt, step

TEXT = (
    "The coastal railway was opened in 1867 to bring slate from the hills to the harbour. Storms closed the line in "
    "1883, 1911 and 2014; after the last of them the sea wall was rebuilt higher, at a cost disputed for years. Today "
    "four trains a day serve the villages."
)
OWN_WORDS = {"report", "summary", "editor"}


@prompt("{{ text }}\n\nName the thing this is about.", model="small", temperature=0, seed=1, max_tokens=12)
def name(text: str) -> str:
    return fill()


@prompt(
    "You are an editor. Summarise the report in one sentence for the front page.\n\nReport: {{ text }}\n\nSummary:",
    model="small",
    temperature=0,
    seed=1,
    max_tokens=80,
)
def summarise(text: str) -> str:
    return fill()


@step
def front_page(name: str, summary: str) -> str:
    said = sorted(OWN_WORDS & set(re.findall(r"\w+", summary.lower())))
    if said:
        raise ValueError(f"the summary speaks of {', '.join(said)}: that is its instruction, not the news")
    return f"{name}\n\n{summary}"


@chain
def page(text: str = TEXT) -> str:
    """A front page that may be printed."""
    return front_page(name(text), summarise(text))


if __name__ == "__main__":
    run = page.run_sync()
    print(f"run {run.id}: {run.status}")
    if run.failure is not None:
        print(f"{run.failure.path}: {run.failure.error.message}")
        print("see why, and mend it: chainlab inspect 06_front_page.py --allow-write")
