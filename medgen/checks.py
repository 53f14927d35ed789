"""Start-up checks: what is missing is said in words, with the command that mends it."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import connection

from annotation.assets import bucket

LEAST_FREE_BYTES = 1024**3
SHARED_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "fuse.s3fs", "glusterfs", "ceph"}
MOUNTS = Path("/proc/mounts")


@register()
def home_is_writable(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """The home holds the database, the assets and the key."""
    home = settings.MEDGEN_HOME
    home.mkdir(parents=True, exist_ok=True)
    if os.access(home, os.W_OK):
        return []
    return [Error(f"{home} is not writable", hint="Set MEDGEN_HOME to a folder you own.", id="medgen.E001")]


@register()
def disk_has_room(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A full disk refuses grades; this says so before it happens."""
    free = shutil.disk_usage(settings.MEDGEN_HOME).free
    if free >= LEAST_FREE_BYTES:
        return []
    hint = "Make room, or move the home and set MEDGEN_HOME."
    return [Warning(f"{free // 1024**2} MiB are free where {settings.MEDGEN_HOME} lies", hint=hint, id="medgen.W001")]


@register(deploy=True)
def bucket_is_closed(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Pictures are shown by the product alone: addresses of a bucket would unblind readers."""
    if bucket.address() is None:
        return []
    if said := bucket.problem():
        hint = "Look at MEDGEN_OBJECT_STORAGE and the AWS_ variables; docs/guide/operator.md has the policy it needs."
        return [Error(said, hint=hint, id="medgen.E002")]
    if not bucket.is_open_to_strangers():
        return []
    hint = "Close it to the public: readers must meet pictures through MedGEN only."
    return [Error("the bucket of pictures answers strangers", hint=hint, id="medgen.E003")]


@register()
def sqlite_is_on_a_local_disk(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Locks of network file systems are not reliable enough for SQLite."""
    if connection.vendor != "sqlite":
        return []
    kind = file_system_of(Path(connection.settings_dict["NAME"]).parent)
    if kind not in SHARED_FILE_SYSTEMS:
        return []
    hint = "Put MEDGEN_HOME on a local disk, or use PostgreSQL through DATABASE_URL."
    return [Warning(f"the SQLite database lies on a network file system ({kind})", hint=hint, id="medgen.W002")]


def file_system_of(folder: Path) -> str:
    """The kind of file system a folder lies on, from the longest mount point above it; "" where none is listed."""
    try:
        mounts = [line.split()[1:3] for line in MOUNTS.read_text().splitlines()]
    except OSError:
        return ""
    place = folder.resolve()
    above = [(point, kind) for point, kind in mounts if place.is_relative_to(point.replace("\\040", " "))]
    return max(above, key=lambda found: len(found[0]), default=("", ""))[1]
