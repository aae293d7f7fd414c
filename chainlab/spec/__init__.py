"""The chain as data: ChainSpec and its parts, prompts, and every check that needs only that data.

Knows no Python function of the author's.
"""
