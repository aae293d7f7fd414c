"""The composition root: binds configuration, backends and a store, and runs chains in them.

The only room that knows all below.
"""
