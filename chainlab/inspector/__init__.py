"""The inspector: traces as a web page on the loopback address. Reads by TraceReader; knows no engine, no SQL."""
