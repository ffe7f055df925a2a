"""`python -m monitord` is the command line."""

from monitord.cli import main

main(prog_name="monitord")
