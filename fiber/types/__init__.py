"""Frozen values: messages, tools, requests, results, usage, events, HTTP, configuration. No I/O, no policy."""
