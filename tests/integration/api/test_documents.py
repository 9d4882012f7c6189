"""What the daemon publishes about itself, looked at by the programs of others."""

import json
import os
import pathlib
import shutil
import subprocess
import unittest

import daemon

VALIDATOR = "@apidevtools/swagger-parser"
VERSION = "13.0.0"
CACHE = pathlib.Path(os.environ.get("SHEAF_CACHE") or pathlib.Path.home() / ".cache/sheaf") / "npm" / VERSION
CHECK = """
import SwaggerParser from '%s';
for (const name of process.argv.slice(2)) await SwaggerParser.validate(name);
"""


def validator():
    """Where the public validator is, of the npm registry; none where it cannot be had."""
    if not shutil.which("node"):
        return None
    if not (CACHE / "node_modules" / VALIDATOR).is_dir() and shutil.which("npm"):
        CACHE.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(["npm", "install", "--prefix", CACHE, "--no-audit", "--no-fund", "--fetch-retries", "0",
                            f"{VALIDATOR}@{VERSION}"], capture_output=True, timeout=daemon.PATIENCE, cwd=CACHE)
        except subprocess.TimeoutExpired:
            return None
    return CACHE if (CACHE / "node_modules" / VALIDATOR).is_dir() else None


class Documents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = daemon.Daemon()
        cls.addClassCleanup(cls.daemon.close)

    def test_openapi(self):
        folder = validator()
        if not folder:
            self.skipTest(f"needs node, and {VALIDATOR} of the npm registry")
        names = []
        index = self.daemon.ask("GET", "/openapi/v3")[1]["paths"]
        for target in ["/openapi/v2", *(f"/openapi/v3/{path}" for path in index)]:
            status, document = self.daemon.ask("GET", target)
            self.assertEqual(status, 200, target)
            names.append(self.daemon.folder / (target.replace("/", "-") + ".json"))
            names[-1].write_text(json.dumps(document))
        script = folder / "check.mjs"
        script.write_text(CHECK % VALIDATOR)
        done = subprocess.run(["node", script, *names], capture_output=True, text=True, timeout=daemon.PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        # It does look.
        names[0].write_text(json.dumps({**json.loads(names[0].read_text()), "paths": 7}))
        self.assertNotEqual(subprocess.run(["node", script, names[0]], capture_output=True).returncode, 0)

    @unittest.skipUnless(shutil.which("promtool"), "needs promtool (Debian's prometheus)")
    def test_metrics(self):
        self.daemon.ask("GET", "/api/v1/secrets")
        status, said = self.daemon.ask_by_tls("GET", "/metrics", headers={"Accept": "text/plain"})
        self.assertEqual(status, 200)
        done = subprocess.run(["promtool", "check", "metrics"], input=said, capture_output=True, text=True, timeout=daemon.PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
