"""Recordings of calls: where the site keeps them, and who is playing one."""
