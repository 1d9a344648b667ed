"""The command line: parse, call one thing below, format the answer."""
