"""The engine: executes a plan and reports events. Knows no database and no HTTP."""
