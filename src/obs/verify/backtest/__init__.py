"""How often alerts would have fired, had they been there: specs held against a server's history."""
