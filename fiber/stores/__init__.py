"""Where layers keep state: in memory, in files, in Redis."""
