"""``python -m recbench``, and the start of the program ``recbench``."""

import sys

from recbench.unexpected_errors import end_unexpectedly


def main() -> None:
    """Loads the command line and runs it; a failure to load it has an exit code of its own, too."""
    try:
        from recbench.cli.app import main as run_command_line
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the installation
        end_unexpectedly(error)
    run_command_line()


def _run() -> None:
    # Python has put the working folder first: a file there, such as json.py, would take a library's place.
    if not sys.flags.safe_path:
        sys.path.append(sys.path.pop(0))
    main()


if __name__ == "__main__":
    _run()
