"""From scores to ranks, from ranks to metrics."""
