"""One alarm a file."""
