"""What a trial leaves behind, and where it is kept."""
