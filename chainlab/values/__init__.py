"""Values: JSON codec, hashing, ids, redaction, and types as JSON Schema. Imports only errors."""
