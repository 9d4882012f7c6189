"""Machines that outlive the daemon: probe guests on this host's KVM."""

import json
import os
import random
import shutil
import signal
import subprocess
import unittest

import daemon
import machines
from machines import IMAGES, INSTANCES, MACHINES, MERGE, Keeper, gone, phase, wait

MIB = 1 << 20


@unittest.skipUnless(os.access("/dev/kvm", os.R_OK | os.W_OK), "/dev/kvm is missing or may not be opened")
class Machines(unittest.TestCase):
    def setUp(self):
        self.daemon = daemon.Daemon()
        self.uids = set()
        self.addCleanup(self.end)
        machines.import_kernel(self.daemon, "ending")

    def end(self):
        """Whatever a failed test has left must not outlive it, nor the bridge of the default network."""
        if self.daemon.process.poll() is None:
            self.daemon.ask("DELETE", f"{machines.NETWORKS}/default")
            machines.until(lambda: self.daemon.ask("GET", f"{machines.NETWORKS}/default")[0] == 404, 5)
        self.daemon.close_keeping_folder()
        for line in machines.processes_in(self.daemon.folder):
            os.kill(int(line.split()[0]), signal.SIGKILL)
        self.daemon.close()

    def post(self, collection, body):
        status, said = self.daemon.ask("POST", collection, body)
        self.assertEqual(status, 201, said)
        return said

    def start(self, name, words="end=hang", **more):
        self.post(MACHINES, machines.machine(name, "ending", words, **more))
        return self.running(name)

    def running(self, name):
        instance = wait(self.daemon, INSTANCES, name, phase("Running"))
        self.uids.add(instance["metadata"]["uid"])
        return instance

    def vmm(self, instance):
        with Keeper(self.daemon, instance["metadata"]["uid"]) as keeper:
            return keeper.hello["status"]["vmm"]

    def delete(self, name):
        status, said = self.daemon.ask("DELETE", f"{MACHINES}/{name}")
        self.assertEqual(status, 200, said)
        wait(self.daemon, MACHINES, name, gone)

    def restart_daemon(self):
        self.daemon.stop(signal.SIGKILL)
        self.daemon.start()

    def assert_nothing_left(self):
        left = machines.until(lambda: machines.left_behind(self.daemon, self.uids) == [])
        self.assertTrue(left, machines.left_behind(self.daemon, self.uids))

    def test_runs_and_leaves_nothing(self):
        instance = self.start("web")
        self.assertEqual(instance["metadata"]["ownerReferences"][0]["name"], "web")
        found = wait(self.daemon, MACHINES, "web", lambda seen: seen and seen["status"].get("ready"))
        self.assertEqual(found["status"]["printableStatus"], "Running")
        with Keeper(self.daemon, instance["metadata"]["uid"]) as keeper:
            self.assertTrue(machines.until(lambda: "ending begins" in keeper.console()))
        self.assertTrue(os.path.exists(f"/proc/{self.vmm(instance)}"))
        network = self.daemon.ask("GET", f"{machines.NETWORKS}/default")[1]
        if network["status"]["phase"] == "Ready":
            self.assertEqual(machines.taps_of(self.uids), [f"sv{instance['metadata']['uid'][:8]}n0"])
        self.delete("web")
        wait(self.daemon, INSTANCES, "web", gone)
        self.assert_nothing_left()

    def test_outlives_the_daemon(self):
        instance = self.start("web")
        vmm = self.vmm(instance)
        for _ in range(3):
            self.restart_daemon()
            self.assertEqual(self.running("web")["metadata"]["uid"], instance["metadata"]["uid"])
            self.assertEqual(self.vmm(instance), vmm)
        code, said = self.daemon.stop()
        self.assertEqual(code, 0, said)
        self.assertTrue(os.path.exists(f"/proc/{vmm}"), "an orderly end leaves machines alone as well")
        self.daemon.start()
        self.assertEqual(self.vmm(self.running("web")), vmm)
        self.delete("web")
        self.assert_nothing_left()

    def test_outlives_an_upgrade(self):
        """Another file at the daemon's place: the keepers are of the one before it, and go on."""
        before, daemon.BINARY = daemon.BINARY, self.daemon.folder / "sheaf"
        self.addCleanup(setattr, daemon, "BINARY", before)
        shutil.copy(before, daemon.BINARY)
        self.restart_daemon()
        instance = self.start("web")
        vmm = self.vmm(instance)
        daemon.BINARY.unlink()
        shutil.copy(before, daemon.BINARY)
        self.restart_daemon()
        self.assertEqual(self.vmm(self.running("web")), vmm)
        self.assertIn("(deleted)", os.readlink(f"/proc/{vmm}/exe"))
        self.delete("web")
        self.assert_nothing_left()

    def test_an_end_in_the_daemons_absence_is_reported(self):
        instance = self.start("once", strategy="Once")
        lost = self.start("lost", strategy="Once")
        self.daemon.stop(signal.SIGKILL)
        with Keeper(self.daemon, instance["metadata"]["uid"]) as keeper:
            self.assertTrue(keeper.ask("stop")["result"]["stopping"])
            self.assertEqual(keeper.lines.read(), "", "it closes at the end")
        with Keeper(self.daemon, lost["metadata"]["uid"]) as keeper:
            os.kill(keeper.hello["status"]["keeper"], signal.SIGKILL)
        self.daemon.start()
        ended = wait(self.daemon, INSTANCES, "once", phase("Succeeded", "Failed"))
        self.assertEqual(ended["status"]["ending"]["how"], "ForcedOff")
        ended = wait(self.daemon, INSTANCES, "lost", phase("Succeeded", "Failed"))
        self.assertEqual((ended["status"]["phase"], ended["status"]["ending"]["how"]), ("Failed", "KeeperLost"))
        self.assertEqual(ended["metadata"]["uid"], lost["metadata"]["uid"], "nothing was started again")
        for name in ("once", "lost"):
            self.delete(name)
        self.assert_nothing_left()

    def test_a_crash_is_told_and_tried_again_later(self):
        self.post(MACHINES, machines.machine("crash", "ending", "end=panic", strategy="RerunOnFailure"))
        def failed_twice(seen):
            failure = seen and seen.get("status", {}).get("startFailure", {})
            return failure and failure.get("consecutiveFailCount", 0) >= 2 and failure.get("retryAfterTimestamp")
        found = wait(self.daemon, MACHINES, "crash", failed_twice)
        self.assertEqual(found["status"]["lastEnding"]["how"], "Panicked")
        self.delete("crash")
        self.assert_nothing_left()

    def test_a_machine_that_powers_off_stays_off_where_that_is_wanted(self):
        self.post(MACHINES, machines.machine("off", "ending", "end=poweroff", strategy="RerunOnFailure"))
        ended = wait(self.daemon, INSTANCES, "off", phase("Succeeded"))
        self.assertEqual(ended["status"]["ending"]["how"], "PoweredOff")
        self.restart_daemon()
        self.assertEqual(wait(self.daemon, INSTANCES, "off", phase("Succeeded"))["metadata"]["uid"], ended["metadata"]["uid"])
        self.delete("off")
        self.assert_nothing_left()

    def test_halted_and_started(self):
        self.post(MACHINES, machines.machine("web", "ending", "end=hang", strategy="Halted"))
        wait(self.daemon, MACHINES, "web", lambda seen: seen and seen.get("status", {}).get("printableStatus") == "Stopped")
        change = lambda strategy: self.daemon.ask("PATCH", f"{MACHINES}/web", {"spec": {"runStrategy": strategy}}, MERGE)
        self.assertEqual(change("Always")[0], 200)
        self.running("web")
        self.assertEqual(change("Halted")[0], 200)
        wait(self.daemon, INSTANCES, "web", gone)
        self.delete("web")
        self.assert_nothing_left()

    def test_what_it_needs_is_waited_for(self):
        self.post(MACHINES, machines.machine("web", "later", "end=hang"))
        waiting = wait(self.daemon, INSTANCES, "web", phase("Pending"))
        ready = next(one for one in waiting["status"]["conditions"] if one["type"] == "Ready")
        self.assertIn("later is not there", ready["message"])
        machines.import_kernel(self.daemon, "ending", "later")
        self.running("web")
        self.delete("web")
        self.assert_nothing_left()

    def test_brings_its_disks(self):
        """Made for it, gone with it; or left behind, with the machine that runs on them."""
        disk = {"source": {"blank": {}}, "storage": {"resources": {"requests": {"storage": "1Mi"}}}}
        volumes, disks = f"{machines.DATA_VOLUMES}/web-root", {"disks": [{"name": "root"}]}
        body = machines.machine("web", "ending", "end=hang", devices=disks, volumes=[{"name": "root", "dataVolume": {"name": "web-root"}}])
        body["spec"]["dataVolumeTemplates"] = [{"metadata": {"name": "web-root"}, "spec": disk}]
        made = self.post(MACHINES, body)
        self.running("web")
        found = self.daemon.ask("GET", volumes)[1]
        self.assertEqual(found["metadata"]["ownerReferences"][0]["uid"], made["metadata"]["uid"])
        self.delete("web")
        wait(self.daemon, machines.DATA_VOLUMES, "web-root", gone)
        self.assertEqual(self.daemon.ask("GET", f"{machines.VOLUMES}/web-root")[0], 404)
        self.post(MACHINES, body)
        uid = self.running("web")["metadata"]["uid"]
        status, said = self.daemon.ask("DELETE", f"{MACHINES}/web?propagationPolicy=Orphan")
        self.assertEqual((status, said["metadata"]["finalizers"]), (200, ["sheaf.io/machine", "orphan"]))
        wait(self.daemon, MACHINES, "web", gone)
        left = self.daemon.ask("GET", volumes)[1]
        self.assertNotIn("ownerReferences", left["metadata"])
        self.assertEqual(self.running("web")["metadata"]["uid"], uid)
        self.daemon.ask("DELETE", f"{INSTANCES}/web")
        wait(self.daemon, INSTANCES, "web", gone)
        self.daemon.ask("DELETE", volumes)
        self.assert_nothing_left()

    def test_starts_again_in_order(self):
        """Keepers and daemon die, as with their host: what is to run again does so by priority, each once the one before it runs."""
        names = ["a", "b", "c"]
        for priority, name in enumerate(names):
            body = machines.machine(name, "ending", "end=hang")
            body["metadata"]["annotations"] = {"sheaf.io/start-priority": str(priority)}
            self.post(MACHINES, body)
        keepers = [Keeper(self.daemon, self.running(name)["metadata"]["uid"]) for name in names]
        revision = self.daemon.ask("GET", INSTANCES)[1]["metadata"]["resourceVersion"]
        self.daemon.stop(signal.SIGKILL)
        for keeper in keepers:
            os.kill(keeper.hello["status"]["keeper"], signal.SIGKILL)
            keeper.close()
        self.daemon.start()
        seen = []
        connection = daemon.UnixConnection(self.daemon.socket)
        self.addCleanup(connection.close)
        connection.request("GET", f"{INSTANCES}?watch=true&resourceVersion={revision}")
        response = connection.getresponse()
        while len(seen) < 6:
            change = json.loads(response.readline())
            name, now = change["object"]["metadata"]["name"], change["object"].get("status", {}).get("phase")
            if change["type"] == "ADDED":
                self.uids.add(change["object"]["metadata"]["uid"])
                seen.append((name, "made"))
            elif change["type"] == "MODIFIED" and now == "Running" and (name, "made") in seen and (name, "runs") not in seen:
                seen.append((name, "runs"))
        self.assertEqual(seen, [(name, word) for name in reversed(names) for word in ("made", "runs")])
        for name in names:
            self.delete(name)
        self.assert_nothing_left()

    def test_pauses_and_goes_on(self):
        instance = self.start("web", words="end=reset", cores=2)
        with Keeper(self.daemon, instance["metadata"]["uid"]) as keeper:
            self.assertEqual(keeper.ask("pause")["result"]["state"], "paused")
            paused = wait(self.daemon, MACHINES, "web", lambda seen: seen and seen["status"].get("printableStatus") == "Paused")
            self.assertFalse(paused["status"]["ready"])
            before = keeper.ask("status")["result"]["reboots"], len(keeper.console())
            self.restart_daemon()
            wait(self.daemon, MACHINES, "web", lambda seen: seen and seen["status"].get("printableStatus") == "Paused")
            self.assertEqual((keeper.ask("status")["result"]["reboots"], len(keeper.console())), before, "nothing moved")
            self.assertEqual(keeper.ask("resume")["result"]["state"], "running")
            self.assertTrue(machines.until(lambda: keeper.ask("status")["result"]["reboots"] > before[0]))
        self.delete("web")
        self.assert_nothing_left()

    def verb(self, kind, name, verb):
        return self.daemon.ask("PUT", f"/apis/subresources.kubevirt.io/v1/namespaces/default/{kind}/{name}/{verb}")

    def test_verbs_of_a_machine(self):
        instance = self.start("web")
        shown = lambda words: lambda seen: seen and seen.get("status", {}).get("printableStatus") == words
        self.assertEqual(self.verb("virtualmachineinstances", "web", "pause")[0], 202)
        wait(self.daemon, MACHINES, "web", shown("Paused"))
        self.assertEqual(self.verb("virtualmachineinstances", "web", "unpause")[0], 202)
        wait(self.daemon, MACHINES, "web", shown("Running"))
        status, said = self.verb("virtualmachineinstances", "web", "softreboot")
        self.assertEqual((status, said["reason"]), (409, "Conflict"))
        self.assertIn("cannot be asked to restart itself", said["message"])
        console = machines.Console(self.daemon, "web")
        self.addCleanup(console.close)
        self.assertTrue(console.head.startswith(b"HTTP/1.1 101 "), console.head)
        said = b""
        while b"ending begins" not in said:
            said += console.piece()
        self.assertEqual(self.verb("virtualmachines", "web", "restart")[0], 202)
        def another(seen):
            return phase("Running")(seen) and seen["metadata"]["uid"] != instance["metadata"]["uid"]
        self.uids.add(wait(self.daemon, INSTANCES, "web", another)["metadata"]["uid"])
        self.assertEqual(self.verb("virtualmachines", "web", "stop")[0], 202)
        wait(self.daemon, MACHINES, "web", shown("Stopped"))
        self.assertEqual(self.verb("virtualmachineinstances", "web", "pause")[0], 404)
        self.assertEqual(self.verb("virtualmachines", "web", "start")[0], 202)
        self.running("web")
        self.delete("web")
        self.assert_nothing_left()

    def logs(self, *words, code=0):
        done = subprocess.run([daemon.BINARY, "vm", "logs", "web", "--socket", self.daemon.socket, *words], capture_output=True, text=True,
                              timeout=daemon.PATIENCE)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout + done.stderr

    def test_logs(self):
        """What it printed, while it runs and after its end; what a lost keeper kept is lost with it."""
        self.post(MACHINES, machines.machine("web", "ending", "end=hang", strategy="Manual"))
        status, said = self.verb("virtualmachines", "web", "start")
        self.assertEqual(status, 202, said)
        instance = self.running("web")
        self.assertTrue(machines.until(lambda: "ending begins" in self.logs()))
        follower = subprocess.Popen([daemon.BINARY, "vm", "logs", "web", "-f", "--socket", self.daemon.socket], stdout=subprocess.PIPE, text=True)
        self.assertTrue(machines.until(lambda: "ending begins" in follower.stdout.readline()))
        with Keeper(self.daemon, instance["metadata"]["uid"]) as keeper:
            whole = keeper.console()
            keeper.ask("stop")
        follower.communicate(timeout=daemon.PATIENCE)
        self.assertEqual(follower.returncode, 0)
        wait(self.daemon, INSTANCES, "web", phase("Succeeded"))
        self.assertEqual(self.logs(), whole)
        self.assertEqual(self.logs("-f", "--tail", "1"), whole.splitlines(keepends=True)[-1])
        self.restart_daemon()
        self.assertEqual(self.logs(), whole)
        self.assertEqual(self.verb("virtualmachines", "web", "start")[0], 202)
        def another(seen):
            return phase("Running")(seen) and seen["metadata"]["uid"] != instance["metadata"]["uid"]
        lost = wait(self.daemon, INSTANCES, "web", another)["metadata"]["uid"]
        self.uids.add(lost)
        with Keeper(self.daemon, lost) as keeper:
            os.kill(keeper.hello["status"]["keeper"], signal.SIGKILL)
        wait(self.daemon, INSTANCES, "web", phase("Failed"))
        self.assertIn("its keeper was lost", self.logs(code=65))
        self.delete("web")
        self.assert_nothing_left()

    def test_little_beside_the_guest(self):
        instance = self.start("web", memory="48Mi")
        with Keeper(self.daemon, instance["metadata"]["uid"]) as keeper:
            status = keeper.hello["status"]
        taken = sum(machines.memory_beside_guest(status[role], 48 * MIB) for role in ("keeper", "vmm"))
        self.assertLessEqual(taken, 5 * MIB)
        self.delete("web")

    def test_files_are_for_their_owner(self):
        instance = self.start("web")
        folder = self.daemon.folder / "state/machines" / instance["metadata"]["uid"]
        self.assertEqual(folder.stat().st_mode & 0o777, 0o700)
        for path in folder.iterdir():
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)
        self.delete("web")

    def test_killed_at_any_moment(self):
        """Ten times kill -9 of the daemon while objects come and go and machines run."""
        steady = self.start("steady")
        vmm = self.vmm(steady)
        chosen = random.Random(10)
        names = [f"m{number}" for number in range(10)]
        for number, name in enumerate(names):
            self.post(MACHINES, machines.machine(name, "ending", chosen.choice(("end=hang", "end=poweroff", "end=panic"))))
            if number >= 2:
                self.daemon.ask("DELETE", f"{MACHINES}/{names[number - 2]}")
            machines.until(lambda: False, chosen.uniform(0, 0.4))  # a moment that nothing decides
            self.restart_daemon()
            self.assertEqual(self.vmm(steady), vmm)
        for name in names:
            status, said = self.daemon.ask("DELETE", f"{MACHINES}/{name}")
            self.assertIn(status, (200, 404), said)
        for name in names:
            wait(self.daemon, MACHINES, name, gone)
        self.assertEqual(self.running("steady")["metadata"]["uid"], steady["metadata"]["uid"])
        self.assertEqual([path.name for path in (self.daemon.folder / "state/machines").iterdir()], [steady["metadata"]["uid"]])
        self.delete("steady")
        self.assert_nothing_left()
