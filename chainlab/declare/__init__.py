"""Declaration: decorators trace a chain body once, symbolically, into a ChainSpec.

Collects and locates; runs nothing.
"""
