"""Executing a plan: a child a case, blocks measured in turn, records as they become known."""
