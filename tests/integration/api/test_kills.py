"""The daemon is killed again and again, while clients change what there is and machines run.

SHEAF_ROUNDS is how often (8), SHEAF_SEED repeats what is chosen."""

import http.client
import json
import os
import random
import signal
import threading
import time
import unittest

import daemon
import machines
from machines import MACHINES, MERGE, NETWORKS, Keeper, gone, wait

ROUNDS = int(os.environ.get("SHEAF_ROUNDS", 8))
SEED = int(os.environ.get("SHEAF_SEED", time.time_ns() % 1_000_000))
VOLUMES = "/apis/sheaf.io/v1/namespaces/default/volumes"
SECRETS = "/api/v1/namespaces/default/secrets"
NO_ANSWER = (OSError, http.client.HTTPException, json.JSONDecodeError)
ENDING = "ending"


def machine_body(name, chosen):
    words = chosen.choice(("end=hang", "end=poweroff"))
    return machines.machine(name, "ending", words, chosen.choice(("Always", "Halted", "RerunOnFailure")))


COLLECTIONS = {
    VOLUMES: lambda name, chosen: {"metadata": {"name": name}, "spec": {"size": f"{chosen.randint(1, 8)}Mi"}},
    SECRETS: lambda name, chosen: {"metadata": {"name": name}, "stringData": {"a": str(chosen.random())}},
    MACHINES: machine_body,
}


class Client:
    """Makes, changes and deletes objects of its own names, and knows what must be there.

    A request without an answer was carried out or was not: `possible` has both, and whatever is seen next must be one of
    them. An object is its label `turn`, or ENDING once its end was begun, or None."""

    def __init__(self, server, number):
        self.server = server
        self.chosen = random.Random(f"{SEED} {number}")
        self.turn = 0
        self.possible = {(collection, f"{kind}{number}-{index}"): {None}
                         for kind, collection in zip("vsm", COLLECTIONS) for index in range(2)}  # fmt: skip
        self.wrong = []

    def ask(self, *words):
        """The answer, or None where there is none."""
        try:
            return self.server.ask(*words)
        except NO_ANSWER:
            return None

    def look(self, place):
        """What there is, once the daemon answers; tells where that cannot be."""
        collection, name = place
        answer = machines.until(lambda: self.ask("GET", f"{collection}/{name}"))
        status, said = answer or (0, "no answer")
        if status == 404:
            seen = None
        elif status == 200 and "deletionTimestamp" in said["metadata"]:
            seen = ENDING
        elif status == 200:
            seen = said["metadata"]["labels"]["turn"]
        else:
            return self.tell(f"{place}: {status} {said}")
        if seen not in self.possible[place] and not (seen is None and ENDING in self.possible[place]):
            self.tell(f"{place} is {seen}, and must be one of {self.possible[place]}")
        self.possible[place] = {seen}
        return seen

    def tell(self, what):
        self.wrong.append(what)

    def step(self):
        place = self.chosen.choice(list(self.possible))
        seen = self.look(place)
        self.turn += 1
        if seen is None:
            self.make(place)
        elif seen != ENDING and self.chosen.random() < 0.5:
            self.change(place)
        elif seen != ENDING:
            self.request(place, {ENDING}, "DELETE", "/".join(place))

    def make(self, place):
        collection, name = place
        body = COLLECTIONS[collection](name, self.chosen)
        body["metadata"]["labels"] = {"turn": str(self.turn)}
        self.request(place, {str(self.turn)}, "POST", collection, body)

    def change(self, place):
        patch = {"metadata": {"labels": {"turn": str(self.turn)}}}
        if place[0] == MACHINES:
            patch["spec"] = {"runStrategy": self.chosen.choice(("Always", "Halted"))}
        self.request(place, {str(self.turn)}, "PATCH", "/".join(place), patch, MERGE)

    def request(self, place, wanted, *words):
        answer = self.ask(*words)
        if answer is None:
            self.possible[place] |= wanted
        elif answer[0] in (200, 201):
            self.possible[place] = wanted
        else:
            self.tell(f"{words[0]} {place}: {answer}")


@unittest.skipUnless(os.access("/dev/kvm", os.R_OK | os.W_OK), "/dev/kvm is missing or may not be opened")
class Kills(unittest.TestCase):
    def setUp(self):
        self.daemon = daemon.Daemon()
        self.addCleanup(self.end)
        self.uids = set()
        machines.import_kernel(self.daemon, "ending")

    def end(self):
        self.daemon.close_keeping_folder()
        for line in machines.processes_in(self.daemon.folder):
            os.kill(int(line.split()[0]), signal.SIGKILL)
        self.daemon.close()

    def vmms(self):
        """Of the machines that nobody touches."""
        found = []
        for name in ("steady-0", "steady-1"):
            instance = wait(self.daemon, machines.INSTANCES, name, machines.phase("Running"))
            with Keeper(self.daemon, instance["metadata"]["uid"]) as keeper:
                found.append((instance["metadata"]["uid"], keeper.hello["status"]["vmm"], keeper.hello["status"]["reboots"]))
        return found

    def names(self, collection):
        return [one["metadata"]["name"] for one in self.daemon.ask("GET", collection)[1]["items"]]

    def test_nothing_is_lost_doubled_or_left(self):
        print(f"SHEAF_SEED={SEED} SHEAF_ROUNDS={ROUNDS}", end=" ", flush=True)
        for name in ("steady-0", "steady-1"):
            self.assertEqual(self.daemon.ask("POST", MACHINES, machines.machine(name, "ending", "end=hang"))[0], 201)
        steady = self.vmms()
        clients = [Client(self.daemon, number) for number in range(3)]
        self.kill_while(clients, steady)
        self.assertEqual([client.wrong for client in clients], [[], [], []])
        self.assertGreater(sum(client.turn for client in clients), ROUNDS)
        self.compare(clients)
        self.remove_all()

    def kill_while(self, clients, steady):
        over = threading.Event()

        def work(client):
            while not over.is_set() and not client.wrong:
                client.step()

        threads = [threading.Thread(target=work, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        chosen = random.Random(SEED)
        try:
            for _ in range(ROUNDS):
                machines.until(lambda: False, chosen.uniform(0, 0.5))  # a moment that nothing decides
                self.daemon.stop(signal.SIGKILL)
                self.uids |= {path.name for path in (self.daemon.folder / "state/machines").iterdir()}
                self.daemon.start()
                self.assertEqual(self.vmms(), steady)
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def compare(self, clients):
        """Each object is there once, and none that must not be; so are the volumes behind them."""
        for collection in COLLECTIONS:
            wanted = []
            for client in clients:
                for place in client.possible:
                    if place[0] != collection:
                        continue
                    if client.look(place) == ENDING:
                        wait(self.daemon, *place, gone)
                        client.possible[place] = {None}
                    elif client.possible[place] != {None}:
                        wanted.append(place[1])
            if collection == MACHINES:
                wanted += ["steady-0", "steady-1"]
            self.assertEqual(sorted(self.names(collection)), sorted(wanted))
            self.assertEqual([client.wrong for client in clients], [[], [], []])
        for name in self.names(VOLUMES):
            wait(self.daemon, VOLUMES, name, machines.phase("Ready"))
        self.assertEqual(len(self.shelf("volumes")), len(self.names(VOLUMES)))

    def shelf(self, name):
        shelf = self.daemon.folder / "state/pool" / name
        return [one.name for one in shelf.iterdir() if not one.name.startswith(".")] if shelf.is_dir() else []

    def remove_all(self):
        self.uids |= {path.name for path in (self.daemon.folder / "state/machines").iterdir()}
        for collection in (*COLLECTIONS, NETWORKS):
            for name in self.names(collection):
                self.assertEqual(self.daemon.ask("DELETE", f"{collection}/{name}")[0], 200)
        for collection in (*COLLECTIONS, NETWORKS):
            self.assertTrue(machines.until(lambda: self.names(collection) == []), collection)
        self.assertTrue(machines.until(lambda: machines.left_behind(self.daemon, self.uids) == []),
                        machines.left_behind(self.daemon, self.uids))  # fmt: skip
        self.assertEqual([self.shelf("volumes"), self.shelf("layers")], [[], []])
