"""Where trials run: in this process, in local processes, or on a Dask cluster."""
