"""``python -m recbench``."""

import sys


def _run() -> None:
    # Python has put the working folder first: a file there, such as json.py, would take a library's place.
    if not sys.flags.safe_path:
        sys.path.append(sys.path.pop(0))
    from recbench.cli.app import main

    main()


if __name__ == "__main__":
    _run()
