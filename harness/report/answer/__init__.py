"""The answer to a suite's question, made from the records: a file for each part of it."""
