"""The API's routes, one file per thing they answer about. Every one of them reads; none changes anything."""
