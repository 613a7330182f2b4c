"""Who answers and where: one row of data for each provider."""
