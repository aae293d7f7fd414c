"""The project's settings: where its root is, and what its chainlab.toml says."""
