"""Pages made from records: the leaderboard and the accepted baselines."""
