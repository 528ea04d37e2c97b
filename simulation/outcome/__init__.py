"""Response criteria, survival and summaries."""
