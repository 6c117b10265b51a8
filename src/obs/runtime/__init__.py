"""The SDK: what runs inside other people's processes."""
