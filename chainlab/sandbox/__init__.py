"""Templates of strangers, rendered by a limited child process. Knows no server, no store and no engine."""
