"""Running models: finding them, giving them their parameters, one fit and one score each."""
