"""Random trials against a reference; `python -m tests.fuzz --help` says how to run them."""
