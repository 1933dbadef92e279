"""The report: tables, sentences and figures made from a run's DataFrame, on one self-contained page."""
