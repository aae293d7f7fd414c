"""Replies of a model that samples: words by chance, a share of them such as an unedited prompt never gives."""

from __future__ import annotations

from random import Random

_COMMON = [f"w{rank}" for rank in range(300)]
_WEIGHTS = [1 / (rank + 1) for rank in range(300)]  # Zipf's law, as words of a language have
_RARE = [f"other{rank}" for rank in range(40)]


def words_of_chance(random: Random, share: float = 0.0) -> str:
    """60 to 79 words; `share` of them, on average, from a vocabulary that the others never use."""
    return " ".join(
        random.choice(_RARE) if random.random() < share else random.choices(_COMMON, _WEIGHTS)[0]
        for _ in range(60 + random.randrange(20))
    )
