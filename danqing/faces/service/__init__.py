"""The service: every task over HTTP, drawn from its form and its kind of result."""
