"""An authenticator app of a demo reader: set up in a home whose server has a second factor, and its codes."""

import base64
import hashlib
import hmac
import json
import struct
import subprocess
import sys
import time

from tests.browser.server import ROOT, environment
from tests.soak.hospital import Product

SECRET = base64.b32encode(b"12345678901234567890").decode()
SETUP = """
import json
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import call_command
from django.test import Client
from annotation.people.models import User
call_command("migrate", verbosity=0)
reader = User.objects.get(username="{username}")
TOTP.activate(reader, "{secret}")
client = Client()
client.force_login(reader)
print(json.dumps(client.session.encode(dict(client.session.items()))))
"""


def give_app(product: Product, username: str) -> None:
    """Set an app up for a reader, before the server starts; keeps what a session of this reader says."""
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", SETUP.format(username=username, secret=SECRET)],
        cwd=ROOT, env=environment(product.home) | product.settings, check=True, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    (product.home / "session.json").write_text(done.stdout)


def session_of(product: Product) -> str:
    """What a session of the reader with the app says, as the database holds it."""
    return str(json.loads((product.home / "session.json").read_text()))


def code_now(at_least_s: int = 10) -> str:
    """RFC 6238: SHA-1, six digits, thirty seconds; a code that holds long enough to be typed."""
    if (left := 30 - time.time() % 30) < at_least_s:
        time.sleep(left)
    counter = struct.pack(">Q", int(time.time()) // 30)
    digest = hmac.new(base64.b32decode(SECRET), counter, hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"
