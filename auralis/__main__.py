"""``python -m auralis``."""

from auralis.cli import main

if __name__ == "__main__":
    main()
