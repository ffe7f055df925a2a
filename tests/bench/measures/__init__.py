"""Each file measures one thing: `async def measure(rounds: int) -> Report`."""
