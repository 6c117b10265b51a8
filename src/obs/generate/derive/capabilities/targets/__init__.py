"""Being scraped: what every service has."""
