"""Model to artefacts: one writer a format; writers never import each other or touch the disk."""
