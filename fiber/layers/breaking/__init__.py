"""What the breaker is made of."""
