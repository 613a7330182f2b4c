"""Tests of the books of calls."""
