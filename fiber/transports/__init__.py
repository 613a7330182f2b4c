"""The only room with an HTTP library, sockets, clocks and event loops in it."""
