"""YAML to model, with file, line and column on every error."""
