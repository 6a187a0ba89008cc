"""`kdsl`: everything a person does with the product, one command each."""

from streams.cli.main import main

__all__ = ["main"]
