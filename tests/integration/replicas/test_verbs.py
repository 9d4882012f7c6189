"""The verbs about replicated volumes, as a person would use them."""

import socket
import subprocess

import cluster


class Verbs(cluster.ClusterTest):
    def test_a_volume_comes_and_goes_with_all_its_copies(self):
        self.create()
        shown = self.replicas()
        self.assertEqual((shown["state"], shown["robustness"], shown["minimum"]), ("detached", "healthy", 2))
        self.assertEqual([copy["address"] for copy in shown["copies"]], [self.address(node) for node in self.nodes])
        self.assertIn("3 copies, healthy, detached", self.sheaf("volume", "list", "--kv", self.kv()))
        self.assertIn("a, b, c", self.sheaf("volume", "show", "disk", "--kv", self.kv()))
        for node in self.nodes:
            self.assertIn(f"copy of node {node}", self.sheaf("volume", "list", "--pool", self.pool(node)))
        self.sheaf("volume", "delete", "disk", "--kv", self.kv())
        self.refused(cluster.BAD_INPUT, ["disk", "none of that name"], "volume", "show", "disk", "--kv", self.kv())
        for node in self.nodes:
            self.assertEqual(list((self.pool(node) / "volumes").iterdir()), [])
            self.assertEqual(list((self.pool(node) / "layers").iterdir()), [])
        self.create()

    def test_what_cannot_be_made_leaves_nothing(self):
        self.sheaf("volume", "create", "disk", "--size", "1M", "--pool", self.pool("c"))
        places = ",".join(f"{node}={self.address(node)}" for node in self.nodes)
        create = ("volume", "create", "disk", "--size", "64M", "--kv", self.kv(), "--nodes")
        self.refused(cluster.BAD_INPUT, ["node c", "exists already"], *create, places)
        gone = f"unix:{self.folder}/nobody.sock"
        self.refused(cluster.BAD_INPUT, ["node d", "nobody.sock"], *create, f"a={self.address('a')},d={gone}")
        # Addresses that were mixed up.
        self.refused(cluster.BAD_INPUT, ["node b", "this is node a"], *create, f"b={self.address('a')}")
        self.assertEqual(self.sheaf("volume", "list", "--kv", self.kv()).split(), ["NAME", "SIZE", "STATE"])
        for node in ("a", "b"):
            self.assertEqual(list((self.pool(node) / "volumes").iterdir()), [])

    def test_a_copy_that_is_out_of_reach_goes_with_the_next_deletion(self):
        self.create()
        self.servers["b"].kill()
        said = self.refused(cluster.HOST, ["node b", "next volume delete"], "volume", "delete", "disk", "--kv", self.kv())
        self.assertNotIn("node a", said)
        self.refused(cluster.BAD_INPUT, ["not to the end"], "volume", "show", "disk", "--kv", self.kv())
        self.serve("b")
        self.sheaf("volume", "delete", "disk", "--kv", self.kv())
        self.assertEqual(list((self.pool("b") / "volumes").iterdir()), [])

    def test_a_copy_is_no_volume_of_its_own(self):
        self.create()
        where = ("--pool", self.pool("a"))
        for verb in (("volume", "nbd", "disk", "--socket", self.folder / "x"), ("volume", "delete", "disk"),
                     ("volume", "resize", "disk", "1G"), ("volume", "check", "disk")):
            self.refused(cluster.BAD_INPUT, ["copy of node a"], *verb, *where)
        about = self.pool("a") / "volumes/disk/about.json"
        whole = about.read_text()
        about.write_text("nonsense")
        self.refused(cluster.BAD_INPUT, ["disk", "copy", "replicated"], "volume", "resize", "disk", "1G", *where)
        about.write_text(whole)
        self.sheaf("volume", "delete", "disk", "--copy", *where)
        self.assertEqual(list((self.pool("a") / "volumes").iterdir()), [])

    def test_one_copy_that_is_left_is_salvaged_by_a_person(self):
        self.create(size="1M")
        for node in ("a", "b"):
            self.servers[node].kill()
        salvage = ("volume", "salvage", "disk", "--kv", self.kv(), "--node")
        self.refused(cluster.BAD_INPUT, ["node c has all", "--yes"], *salvage, "c")
        self.assertEqual(self.replicas()["minimum"], 2)
        self.refused(cluster.BAD_INPUT, ["no copy on node x", "a, b, c"], *salvage, "x", "--yes")
        self.sheaf(*salvage, "c", "--yes")
        self.assertEqual(self.modes(), {"a": "ERR", "b": "ERR", "c": "RW"})
        engine = self.attach(node="c")
        self.wait_for("the announcement", lambda: self.replicas()["state"] == "attached")
        self.refused(cluster.BAD_INPUT, ["attached to node c"], *salvage, "a", "--yes")
        self.serve("a")
        self.serve("b")
        self.wait_until_healthy()
        self.assertEqual(engine.end(), 0, engine.log())

    def test_an_attached_volume_is_not_deleted(self):
        self.create()
        engine = self.attach()
        self.wait_for("the announcement", lambda: self.replicas()["state"] == "attached")
        self.assertEqual(self.modes(), {"a": "RW", "b": "RW", "c": "RW"})
        self.refused(cluster.BAD_INPUT, ["attached to node a"], "volume", "delete", "disk", "--kv", self.kv())
        self.assertEqual(engine.end(), 0, engine.log())
        self.assertEqual(self.replicas()["state"], "detached")
        self.sheaf("volume", "delete", "disk", "--kv", self.kv())

    def test_bad_options_are_one_line(self):
        serve = ("replica", "serve", "--node", "x", "--kv", self.kv(), "--pool", self.folder / "none")
        for code, named, words in (
            (cluster.BAD_INPUT, ["--listen is missing"], serve),
            (cluster.BAD_INPUT, ["is no address"], (*serve, "--listen", "nowhere")),
            (cluster.BAD_INPUT, ["--insecure"], (*serve, "--listen", "127.0.0.1:0")),
            (cluster.BAD_INPUT, ["leads to other hosts"], (*serve, "--listen", "0.0.0.0:0", "--insecure")),
            (cluster.BAD_INPUT, ["given together"], (*serve, "--listen", "127.0.0.1:0", "--tls-cert", "x")),
            (cluster.BAD_INPUT, ["--kv is missing"], ("volume", "replicas", "disk")),
            (cluster.BAD_INPUT, ["neither sqlite:FILE nor"], ("volume", "replicas", "disk", "--kv", "file")),
            (cluster.BAD_INPUT, ["--replicas 2", "3 of them"],
             ("volume", "create", "d", "--size", "1M", "--replicas", "2", "--kv", self.kv(), "--nodes",
              "a=unix:x,b=unix:y,c=unix:z")),
            (cluster.BAD_INPUT, ["named twice"],
             ("volume", "create", "d", "--size", "1M", "--kv", self.kv(), "--nodes", "a=unix:x,a=unix:y")),
        ):
            self.refused(code, named, *words)
        self.assertFalse((self.folder / "none").exists())

    def test_garbage_costs_its_connection_and_a_line(self):
        self.create()
        before = self.servers["a"].log()
        client = socket.socket(socket.AF_UNIX)
        client.connect(str(self.folder / "a.sock"))
        client.sendall(b"GET / HTTP/1.1\r\n\r\n" * 8)
        self.assertEqual(client.recv(100), b"")
        client.close()
        said = self.servers["a"].log()[len(before):]
        self.assertEqual(len(said.splitlines()), 1, said)
        self.assertIn("cut off", said)
        engine = self.attach()
        self.assertEqual(engine.end(), 0, engine.log())

    def test_the_copy_of_this_host_is_used_without_its_server(self):
        self.create(size="8M")
        engine = self.attach(options=("--pool", self.pool("a")))
        self.servers["a"].kill()
        self.wait_for("the announcement", lambda: self.replicas()["state"] == "attached")
        self.assertEqual(self.replicas()["robustness"], "healthy")
        self.tool("nbdcopy", "--", self.some_file(), self.uri())
        self.assertEqual(engine.end(), 0, engine.log())
        self.tool("cmp", self.assert_all_alike(), self.some_file())
        self.tool("cmp", self.read_independently("b"), self.some_file())

    def some_file(self):
        path = self.folder / "some"
        with open(path, "wb") as file:
            file.truncate(8 << 20)
            for place in range(0, 8, 3):
                file.seek(place << 20)
                file.write(bytes([place + 1]) * 70000)
        return path


class Encrypted(cluster.ClusterTest):
    """Over TCP, with certificates; only certificates of the node are believed."""

    nodes = ()

    def certificate(self, name):
        """A key and a certificate of that name, by the test's own authority."""
        make = [
            ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
             "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-out", f"{name}.csr"],
            ["openssl", "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
             "-copy_extensions", "copy", "-days", "2", "-out", f"{name}.pem"],
        ]
        if not (self.folder / "ca.pem").exists():
            make.insert(0, ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                            "-keyout", "ca.key", "-subj", "/CN=authority", "-days", "2", "-out", "ca.pem"])
        for command in make:
            subprocess.run(command, cwd=self.folder, check=True, capture_output=True)

    def tls(self, name):
        return ("--tls-cert", self.folder / f"{name}.pem", "--tls-key", self.folder / f"{name}.key",
                "--tls-ca", self.folder / "ca.pem")

    def serve_encrypted(self, node, certificate):
        server = self.start("replica", "serve", "--node", node, "--pool", self.pool(node), "--listen", "127.0.0.1:0",
                            "--kv", self.kv(), *self.tls(certificate))
        self.servers[node] = server
        return f"{node}=127.0.0.1:{cluster.port_of(server.greeting)}"

    def test_nodes_are_who_their_certificates_say(self):
        for name in ("a", "b", "x"):
            self.certificate(name)
        places = [self.serve_encrypted("a", "a"), self.serve_encrypted("b", "b")]
        impostor = self.serve_encrypted("c", "x")
        create = ("volume", "create", "disk", "--size", "16M", "--kv", self.kv(), "--nodes")
        self.refused(cluster.BAD_INPUT, ["--tls-cert"], *create, places[0])
        self.refused(cluster.BAD_INPUT, ["node c", "certificate"], *create, impostor, *self.tls("a"))
        self.sheaf(*create, ",".join(places), *self.tls("a"))
        nbd = ("volume", "nbd", "disk", "--kv", self.kv(), "--socket")
        engine = self.start(*nbd, self.folder / "a.nbd", "--node", "a", *self.tls("a"))
        self.assertEqual(engine.end(), 0, engine.log())
        # Who says that it is another node than its certificate does is not let in.
        claims = cluster.Process([cluster.BINARY, *map(str, nbd), self.folder / "b.nbd", "--node", "b", *self.tls("x")])
        self.addCleanup(claims.close)
        for node in ("a", "b"):
            self.wait_for("a refusal", lambda: "the certificate is not of b" in self.servers[node].log())
        self.assertEqual(claims.end(), 0)
