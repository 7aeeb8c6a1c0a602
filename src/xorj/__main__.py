"""`python -m xorj` and the installed command `xorj`: hands the arguments to the command line."""

import sys


def main() -> None:
    """Runs one command and exits with its code: 0 ok, 1 failed, 2 usage, 3 refused for safety, 130 interrupted."""
    from xorj.cli.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
