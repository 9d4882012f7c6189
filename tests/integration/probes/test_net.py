"""virtio-net against the host's own stack over a tap."""

import machine
import tap


class Net(machine.ProbeTest):
    def echo(self, words):
        link = tap.Tap(self)
        card = f"tap={link.name},mac=02:00:00:00:77:02"
        with machine.Machine(self, "net", f"ms=30000 {words}", taps=[card]) as guest:
            self.assertTrue(guest.read_line().startswith("net mac=2:0:0:0:77:2 "))
            for number in range(5):
                self.assertTrue(link.ping(1400, number), "no right answer to a ping")
            self.assertEqual(link.udp_echo(range(1, 1400, 7)), [])
            link.stop_guest()
            outcome = guest.finish()
        self.assertEqual(outcome.code, 0, outcome)
        self.assertIn("net done", outcome.lines, outcome)
        self.assertIn("pings=5 datagrams=200", outcome.output, outcome)
        return outcome

    def test_echo(self):
        self.echo("")

    def test_echo_without_mergeable_buffers(self):
        self.echo("mergeable=0")

    def test_echo_without_event_index(self):
        self.echo("event_index=0")

    def test_echo_into_small_merged_buffers(self):
        outcome = self.echo("receive_buffer=200")
        self.assertNotIn("merged=0", outcome.output, outcome)
        self.assertIn("dropped=0", outcome.output, outcome)

    def test_rates(self):
        link = tap.Tap(self)
        outcome = self.boot_well("net", "mode=transmit ms=300", taps=[f"tap={link.name}"])
        self.assertIn("metric transmit pps=", outcome.output, outcome)

    def test_flood(self):
        link = tap.Tap(self)
        with machine.Machine(self, "net", "mode=receive ms=300", taps=[f"tap={link.name}"]) as guest:
            guest.read_line()
            link.flood(guest.process)
            outcome = guest.finish()
        self.assertEqual(outcome.code, 0, outcome)
        self.assertIn("metric receive pps=", outcome.output, outcome)
