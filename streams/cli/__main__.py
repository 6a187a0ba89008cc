"""`python -m streams.cli` is `kdsl`; child processes are started so."""

from streams.cli.main import main

main()
