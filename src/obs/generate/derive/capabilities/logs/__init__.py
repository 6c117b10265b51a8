"""What log lines tell: alerts for the ruler of Loki."""
