"""The command line: loads files, runs chains, shows traces, starts everything else. Nothing imports it."""
