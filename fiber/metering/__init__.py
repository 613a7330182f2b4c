"""Metrics: tables that count calls, and texts for those that collect them."""
