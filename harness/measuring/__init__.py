"""Measuring: what runs in the child (a framework's settings, time, memory) and the statistics of what it yields."""
