"""Every fault of `fiber.testing.HostileServer`, through every adapter, kind of chat and runtime."""
