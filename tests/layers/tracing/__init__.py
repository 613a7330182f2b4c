"""What OpenTelemetry is told, heard by its SDK."""
