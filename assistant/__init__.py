"""What was meant, what is true, what can be done, and saying it."""
