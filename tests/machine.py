"""What `make test` needs of the machine; names what is missing and the one command that installs it."""

import shutil
import sys

PROGRAMS = {"chromium": "chromium", "soffice": "libreoffice-calc"}


def missing() -> list[str]:
    """Debian packages that are not there."""
    return [package for program, package in PROGRAMS.items() if shutil.which(program) is None]


def main() -> int:
    absent = missing()
    if not absent:
        return 0
    command = f"apt-get update && apt-get install --yes --no-install-recommends {' '.join(absent)}"
    print(f"The tests need these Debian packages: {', '.join(absent)}.\nInstall them with:\n\n    {command}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
