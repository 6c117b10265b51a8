"""What only a service itself can count, one file a domain: names for it to declare, that alerts know already."""
