"""Forms that several alerts share: expression, words and stories together."""
