"""HTTP and websocket: what leaves the daemon and what may come in."""
