"""A benchmarking harness for gradient methods of neural SDEs and ODEs."""
