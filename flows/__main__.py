"""`python -m impasse.flows` is the command `impasse`."""

from impasse.flows.cli.app import app

if __name__ == "__main__":
    app()
