"""The command line: one file a verb, and the only code that writes to standard output."""
