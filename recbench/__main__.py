"""``python -m recbench``."""

from recbench.cli.app import main

if __name__ == "__main__":
    main()
