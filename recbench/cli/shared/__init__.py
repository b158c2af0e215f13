"""What several verbs share: terminal output, options, and the message after an interruption."""
