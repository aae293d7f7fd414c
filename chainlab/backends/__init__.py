"""How chainlab talks to models. The only room that knows httpx and xllamacpp, and it loads them on first use."""
