"""The search for the builtin models' defaults: hyper-parameters that do well on data that they were not chosen on.

    python -m benchmarks.defaults search --models ials,itemknn
    python -m benchmarks.defaults choose --models ials,itemknn
    python -m benchmarks.defaults document

Run these commands from the checkout's folder. ``models/README.md`` says how defaults are chosen.
"""
