"""Bytes to frames, under any chunking: no meaning, no I/O."""
