"""Text of models, files and records in each medium: shown as it is, never executed or interpreted.

One module a medium. A renderer escapes text once, where it puts it into the medium.
"""
