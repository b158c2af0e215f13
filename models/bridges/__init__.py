"""Bridges to the models of other frameworks: ``cornac:BPR`` is ``recbench_models.bridges.cornac:BPR``.

A bridge runs in the environment of its framework. It imports numpy, its framework, and what that brings along; it runs
on Python 3.9. A model's class is made when its name is looked up in the module of the bridge.
"""
