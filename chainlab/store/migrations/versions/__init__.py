"""One file per version of the database. Loaded by Alembic by path, never imported by chainlab."""
