"""What is told to OpenTelemetry: the span of a call, those of its attempts, and content where it is asked for."""
