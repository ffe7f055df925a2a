"""`monitord check`: what works, what does not, and what nobody can know yet."""
