"""Where a template stands in an author's file, and patches of that file.

Reads sources and never imports or runs them; knows no run and no store.
"""
