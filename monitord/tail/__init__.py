"""`monitord tail`: the stream of a running daemon in a terminal, or as JSON lines for programs.

A client like any other: of monitord it knows nothing but the wire's messages.
"""
