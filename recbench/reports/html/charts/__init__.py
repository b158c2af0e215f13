"""The charts of the report page: all places are computed here, and the templates only write them down as SVG."""
