"""Service level objectives: burn windows, recorded series, alerts and their stories."""
