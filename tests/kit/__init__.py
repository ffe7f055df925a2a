"""What tests share: a daemon in this process, clients of its API, waiting without sleeping."""
