"""Parts of the daemon that take more than a line to put together; ``app`` starts them."""
