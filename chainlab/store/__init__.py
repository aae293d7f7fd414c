"""The store: runs, steps, attempts and payloads in one database. Knows no engine, no backend and no page."""
