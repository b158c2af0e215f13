"""One file a metric, found by its name: ``hr.py`` holds ``METRIC``, whose name is ``hr``.

``recbench.evaluation.metric_names`` lists the files. To add a metric, add a file.
"""
