"""Stories that several alerts are told with: sample series and what must be true in them."""
