"""What people are told, in other languages."""
