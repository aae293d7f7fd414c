"""The API's routes, one file per thing they answer about. GETs change nothing."""
