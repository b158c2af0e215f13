"""What not every operating system has: where a function is missing, a portable alternative takes its place.

The rest of recbench calls these modules, and never such a function itself. A function is looked up where it is called,
so that a test can remove it. Some alternatives are weaker; ``guarantees`` names them for ``recbench doctor`` and for
records.
"""
