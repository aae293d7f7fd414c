"""Replay: a record and edits -> what runs again and what is reused. Pure; knows no engine, no backend and no store."""
