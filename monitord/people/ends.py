"""Who wants to know when a session or a token ends: the streams that were opened with it."""

from __future__ import annotations

from collections.abc import Callable

Call = Callable[[], None]


class Ends:
    def __init__(self) -> None:
        self._calls: dict[str, list[Call]] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def listen(self, key: str, call: Call) -> Call:
        """``call`` when ``key`` ends. Gives the function that takes this back."""
        calls = self._calls.setdefault(key, [])
        calls.append(call)

        def forget() -> None:
            if call in calls:
                calls.remove(call)
            if not calls and self._calls.get(key) is calls:
                del self._calls[key]

        return forget

    def tell(self, key: str) -> None:
        """It is over: everybody is told once."""
        for call in self._calls.pop(key, []):
            call()
