"""What a user asks for: run, tune, sweep, compare. No printing and no exit codes."""
