"""The verbs of images and exports, as a person types them."""

import contextlib
import hashlib
import http.server
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import threading
import unittest

from content import make_content, tool

SHEAF = None
README = pathlib.Path(__file__).resolve().parents[3] / 'README.md'
MIB = 1 << 20


class Publisher:
    """A server of a folder's files, some of them in bad ways."""

    def __init__(self, folder):
        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *words):
                super().__init__(*words, directory=folder)

            def log_message(self, *_):
                pass

            def do_GET(self):
                bad = {'moved': lambda rest: f'/{rest}', 'file': lambda rest: f'file:///{rest}',
                       'loop': lambda _: '/loop'}  # fmt: skip
                first, _, rest = self.path[1:].partition('/')
                if first in bad:
                    self.send_response(302)
                    self.send_header('Location', bad[first](rest))
                    self.end_headers()
                elif first == 'endless':
                    self.send_response(200)
                    self.end_headers()
                    with contextlib.suppress(OSError):  # who has no room hangs up
                        while True:
                            self.wfile.write(bytes(MIB))
                elif first == 'short':
                    with open(os.path.join(folder, rest), 'rb') as file:
                        content = file.read()
                    self.send_response(200)
                    self.send_header('Content-Length', str(len(content)))
                    self.end_headers()
                    self.wfile.write(content[: len(content) // 2])
                else:
                    super().do_GET()

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)

    def url(self, path):
        return f'http://127.0.0.1:{self.server.server_address[1]}{path}'

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Verbs(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='sheaf-verbs-')
        self.addCleanup(shutil.rmtree, self.folder)
        self.raw = self.path('disk.raw')
        make_content(self.raw)
        self.qcow2 = self.path('disk.qcow2')
        tool('qemu-img', 'convert', '-q', '-c', '-f', 'raw', '-O', 'qcow2', self.raw, self.qcow2)

    def path(self, name):
        return os.path.join(self.folder, name)

    def sheaf(self, *words, code=0):
        """Runs a verb on a pool of our own; gives its output, or what it says about its failure."""
        done = subprocess.run([SHEAF, *words, '--pool', self.path('pool')], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, code, f'{words}: {done.stdout}{done.stderr}')
        return done.stderr.strip() if code else done.stdout

    def digest(self, path):
        with open(path, 'rb') as file:
            return hashlib.sha256(file.read()).hexdigest()

    def pool_content(self):
        return sorted(os.path.join(folder, name) for folder, _, names in os.walk(self.path('pool'))
                      for name in names if name != 'lock')

    def same(self, path, kind):
        """Whether the file is the disk, and what is behind its end in whole blocks of 4 KiB is zeros."""
        tool('qemu-img', 'compare', '-q', '-f', 'raw', '-F', kind, self.raw, path)

    def test_from_file_to_image_to_file(self):
        self.sheaf('image', 'import', self.qcow2, '--name', 'debian', '--sha256', self.digest(self.qcow2))
        self.sheaf('image', 'import', self.raw, '--name', 'raw')
        shown = json.loads(self.sheaf('image', 'show', 'debian', '-o', 'json'))
        self.assertEqual(shown['sha256'], self.digest(self.qcow2))
        self.assertEqual(shown['source'], self.qcow2)
        listed = json.loads(self.sheaf('image', 'list', '-o', 'json'))['images']
        self.assertEqual([image['name'] for image in listed], ['debian', 'raw'])
        self.assertIn('debian', self.sheaf('image', 'list'))
        for name in ('debian', 'raw'):
            for kind in ('raw', 'qcow2'):
                target = self.path(f'{name}.{kind}.out')
                self.sheaf('image', 'export', name, target, '--format', kind)
                self.same(target, kind)
        tool('qemu-img', 'check', self.path('debian.qcow2.out'))
        self.sheaf('image', 'delete', 'debian')
        self.assertIn('does not exist', self.sheaf('image', 'show', 'debian', code=65))

    def test_a_wrong_digest_is_refused_and_leaves_nothing(self):
        self.sheaf('image', 'import', self.raw, '--name', 'one')
        before = self.pool_content()
        said = self.sheaf('image', 'import', self.qcow2, '--name', 'two', '--sha256', '0' * 64, code=65)
        self.assertEqual(said, f'sheaf image import: {self.qcow2}: has the SHA-256 {self.digest(self.qcow2)}, '
                         f'not {"0" * 64}')
        self.assertIn('hexadecimal', self.sheaf('image', 'import', self.qcow2, '--name', 'two', '--sha256', '12',
                                                code=65))
        self.assertIn('exists already', self.sheaf('image', 'import', self.raw, '--name', 'one', code=65))
        self.assertIn('does not exist', self.sheaf('image', 'import', '/nowhere', '--name', 'two', code=65))
        self.assertEqual(self.pool_content(), before)

    def test_from_a_url(self):
        with Publisher(self.folder) as publisher:
            self.sheaf('image', 'import', publisher.url('/disk.qcow2'), '--name', 'direct',
                       '--sha256', self.digest(self.qcow2))
            self.sheaf('image', 'import', publisher.url('/moved/disk.qcow2'), '--name', 'moved')
            shown = json.loads(self.sheaf('image', 'show', 'moved', '-o', 'json'))
            self.assertEqual(shown['sha256'], self.digest(self.qcow2))
            self.assertEqual(shown['source'], publisher.url('/moved/disk.qcow2'))
            self.sheaf('image', 'export', 'direct', self.path('direct.raw'), '--format', 'raw')
            self.same(self.path('direct.raw'), 'raw')

    def test_a_url_that_gives_no_image_is_one_line_and_leaves_nothing(self):
        self.sheaf('image', 'import', self.raw, '--name', 'one')
        before = self.pool_content()
        with Publisher(self.folder) as publisher:
            for path, words in (('/nothing', '404'), ('/short/disk.qcow2', 'remaining'), ('/file/etc/passwd', 'file'),
                                ('/loop', 'redirects')):
                said = self.sheaf('image', 'import', publisher.url(path), '--name', 'two', code=69)
                self.assertTrue(said.startswith(f'sheaf image import: {publisher.url(path)}: ('), said)
                self.assertIn(words, said)
                self.assertEqual(len(said.splitlines()), 1, said)
            said = self.sheaf('image', 'import', publisher.url('/disk.qcow2'), '--name', 'two', '--sha256', '0' * 64,
                              code=65)
            self.assertIn('has the SHA-256', said)
            gone = publisher.url('/disk.qcow2')
        self.assertIn('connect', self.sheaf('image', 'import', gone, '--name', 'two', code=69))
        self.assertEqual(self.pool_content(), before)

    def test_a_url_without_an_end_stops_before_the_pool_is_full(self):
        room = self.path('pool')
        os.mkdir(room)
        if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=64m', 'none', room], check=False).returncode != 0:
            self.skipTest('a small file system takes root')
        self.addCleanup(subprocess.run, ['umount', room], check=True)
        with Publisher(self.folder) as publisher:
            said = self.sheaf('image', 'import', publisher.url('/endless'), '--name', 'x', code=69)
        self.assertEqual(said, f"sheaf image import: {publisher.url('/endless')}: there is no room for it in the pool")
        self.assertEqual(json.loads(self.sheaf('image', 'list', '-o', 'json'))['images'], [])
        status = os.statvfs(room)
        self.assertGreater(status.f_bavail, status.f_blocks * 9 // 10)

    def test_without_curl_it_says_what_is_needed(self):
        done = subprocess.run([SHEAF, 'image', 'import', 'http://127.0.0.1:1/x', '--name', 'x', '--pool',
                               self.path('pool')], env={'PATH': self.folder}, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 69, done.stderr)
        self.assertIn('apt-get install curl', done.stderr)

    def test_a_killed_import_leaves_nothing_that_stays(self):
        with open(self.raw, 'r+b') as file:
            for at in range(0, 64 * MIB, MIB):
                file.seek(at)
                file.write(os.urandom(4096) * 256)
        child = subprocess.Popen([SHEAF, 'image', 'import', self.raw, '--name', 'big', '--pool', self.path('pool')])
        images = self.path('pool/images')
        while child.poll() is None and not (os.path.isdir(images) and os.listdir(images)):
            pass
        child.kill()
        child.wait()
        self.assertEqual(json.loads(self.sheaf('image', 'list', '-o', 'json'))['images'], [])
        make_content(self.path('small'))
        self.sheaf('image', 'import', self.path('small'), '--name', 'small')
        self.assertEqual(os.listdir(images), ['small'])
        self.assertEqual(len(os.listdir(self.path('pool/layers'))), 1)

    def test_a_volume_is_exported(self):
        self.sheaf('volume', 'create', 'v', '--size', '64M')
        target = self.path('v.qcow2')
        self.sheaf('volume', 'export', 'v', target, '--format', 'qcow2')
        self.assertIn('No errors', tool('qemu-img', 'check', target))
        self.assertEqual(json.loads(tool('qemu-img', 'info', '--output=json', target))['virtual-size'], 64 * MIB)
        self.assertIn('is there already', self.sheaf('volume', 'export', 'v', target, code=65))
        self.sheaf('volume', 'export', 'v', target, '--force')
        self.assertEqual(os.stat(target).st_size, 64 * MIB)
        self.assertIn('does not exist', self.sheaf('volume', 'export', 'w', self.path('w'), code=65))
        self.assertIn('is no format', self.sheaf('volume', 'export', 'v', self.path('w'), '--format', 'vmdk', code=65))
        self.assertFalse(os.path.exists(self.path('w')))

    def test_the_commands_of_the_readme(self):
        section = re.search(r'## Images and exports\n.*?```sh\n(.*?)```', README.read_text(), re.DOTALL).group(1)
        os.rename(self.qcow2, self.path('debian.qcow2'))
        self.sheaf('volume', 'create', 'root', '--size', '8M')
        for line in section.splitlines():
            words = shlex.split(line, comments=True)
            self.assertEqual(words[0], 'sheaf')
            done = subprocess.run([SHEAF, *words[1:], '--pool', 'pool'], capture_output=True, text=True, check=False,
                                  cwd=self.folder)
            self.assertEqual((done.returncode, done.stderr), (0, ''), line)
        self.same(self.path('debian.raw'), 'raw')
        tool('qemu-img', 'check', self.path('root.qcow2'))
