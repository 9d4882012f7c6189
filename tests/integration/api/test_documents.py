"""What the daemon publishes about itself, looked at by the programs of others."""

import json
import os
import pathlib
import shutil
import subprocess
import unittest

import daemon

# Of scripts/validators, which a test cannot call: it has no network.
FOLDER = pathlib.Path(os.environ.get("SHEAF_VALIDATORS") or "/nonexistent")
PROMTOOL = FOLDER / "bin/promtool"
PARSER = FOLDER / "node_modules/@apidevtools/swagger-parser"
CHECK = """
import SwaggerParser from '@apidevtools/swagger-parser';
for (const name of process.argv.slice(2)) await SwaggerParser.validate(name);
"""


class Documents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = daemon.Daemon()
        cls.addClassCleanup(cls.daemon.close)

    @unittest.skipUnless(PARSER.is_dir() and shutil.which("node"), "needs node, and SHEAF_VALIDATORS=$(scripts/validators)")
    def test_openapi(self):
        names = []
        index = self.daemon.ask("GET", "/openapi/v3")[1]["paths"]
        for target in ["/openapi/v2", *(f"/openapi/v3/{path}" for path in index)]:
            status, document = self.daemon.ask("GET", target)
            self.assertEqual(status, 200, target)
            names.append(self.daemon.folder / (target.replace("/", "-") + ".json"))
            names[-1].write_text(json.dumps(document))
        script = self.daemon.folder / "check.mjs"
        script.write_text(CHECK)
        (self.daemon.folder / "node_modules").symlink_to(FOLDER / "node_modules")
        done = subprocess.run(["node", script, *names], capture_output=True, text=True, timeout=daemon.PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        # It does look.
        names[0].write_text(json.dumps({**json.loads(names[0].read_text()), "paths": 7}))
        self.assertNotEqual(subprocess.run(["node", script, names[0]], capture_output=True).returncode, 0)

    @unittest.skipUnless(PROMTOOL.is_file(), "needs SHEAF_VALIDATORS=$(scripts/validators)")
    def test_metrics(self):
        self.daemon.ask("GET", "/api/v1/secrets")
        status, said = self.daemon.ask_by_tls("GET", "/metrics", headers={"Accept": "text/plain"})
        self.assertEqual(status, 200)
        done = subprocess.run([PROMTOOL, "check", "metrics"], input=said, capture_output=True, text=True, timeout=daemon.PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
