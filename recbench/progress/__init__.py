"""Progress of runs and tunings, shown to people."""
