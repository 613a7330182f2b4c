"""Parts of the cache: names of answers, entries, and calls that wait for each other."""
