"""What `make test` needs of the machine; names what is missing and the one command that installs it."""

import os
import shutil
import sys
from pathlib import Path

PROGRAMS = {
    "chromium": "chromium",
    "soffice": "libreoffice-calc",
    "nginx": "nginx-light",
    "openssl": "openssl",
    "systemd-analyze": "systemd",
}
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"
POSTGRESQL = Path("/usr/lib/postgresql")


def missing() -> list[str]:
    """Debian packages that are not there."""
    absent = [package for program, package in PROGRAMS.items() if shutil.which(program, path=PATH) is None]
    if not any(POSTGRESQL.glob("*/bin/initdb")) and shutil.which("initdb") is None:
        absent.append("postgresql")
    return absent


def main() -> int:
    absent = missing()
    if not absent:
        return 0
    command = f"apt-get update && apt-get install --yes --no-install-recommends {' '.join(absent)}"
    print(f"The tests need these Debian packages: {', '.join(absent)}.\nInstall them with:\n\n    {command}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
