"""What exporters tell about others, one file an exporter."""
