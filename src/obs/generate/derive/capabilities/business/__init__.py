"""Business: orders and payments."""
