"""python3 -m unittest discover -s bench/compare -p '*_test.py'"""

import pathlib
import tempfile
import unittest

from fixture import h2load_counts
from report import Results, Sample, markdown, publish, table


def sample(proxy: str, round_number: int, cost_us: float, others: float = 0.0,
           scenario: str = "1k") -> Sample:
    return Sample(scenario=scenario, proxy=proxy, round=round_number, requests=1000, errors=0, seconds=2.0,
                  user_us=cost_us / 4, system_us=cost_us * 3 / 4, core_share=0.9, others_share=others,
                  p50_us=100, p99_us=200, pss=1 << 20, rss=2 << 20)


def results_of(*samples: Sample) -> Results:
    results = Results()
    for one in samples:
        results.add(one)
    return results


class ResultsTest(unittest.TestCase):
    def test_a_ratio_compares_within_each_round(self):
        results = results_of(sample("relay", 0, 10), sample("steelyard", 0, 12),
                             sample("relay", 1, 20), sample("steelyard", 1, 24),
                             sample("relay", 2, 15), sample("steelyard", 2, 18))
        self.assertAlmostEqual(results.ratio("1k", "steelyard", "relay"), 1.2)

    def test_a_disturbed_round_does_not_count_when_two_calm_ones_exist(self):
        results = results_of(sample("relay", 0, 10), sample("steelyard", 0, 11),
                             sample("relay", 1, 10), sample("steelyard", 1, 50, others=0.3),
                             sample("relay", 2, 10), sample("steelyard", 2, 11))
        self.assertEqual(results.calm_rounds("1k"), 2)
        self.assertAlmostEqual(results.median("1k", "steelyard", "cost_us"), 11)
        self.assertEqual({s.round for s in results.of("1k", "relay")}, {0, 2})

    def test_all_rounds_count_when_hardly_any_was_calm(self):
        results = results_of(sample("relay", 0, 10, others=0.2), sample("relay", 1, 30, others=0.2),
                             sample("relay", 2, 20))
        self.assertAlmostEqual(results.median("1k", "relay", "cost_us"), 20)

    def test_a_target_at_its_limit_is_met_and_beyond_it_missed(self):
        met = results_of(sample("relay", 0, 10), sample("steelyard", 0, 12))
        missed = results_of(sample("relay", 0, 10), sample("steelyard", 0, 12.1))
        self.assertEqual([(t.over, m) for t, _, m in met.judged()], [("relay", True)])
        self.assertEqual([(t.over, m) for t, _, m in missed.judged()], [("relay", False)])

    def test_a_target_whose_proxies_were_not_measured_is_not_judged(self):
        self.assertEqual(results_of(sample("nginx", 0, 10)).judged(), [])

    def test_the_best_peer_is_the_one_that_needs_least_and_all_of_them_have_to_be_there(self):
        for name in ("tls-1k", "tls-new", "h2"):
            costs = {"haproxy": 12, "nginx": 10, "apache2": 30, "steelyard": 11}
            some = [sample(proxy, 0, cost, scenario=name) for proxy, cost in costs.items()]
            self.assertEqual([(t.scenario, m) for t, _, m in results_of(*some).judged()],
                             [(name, False)])
            self.assertAlmostEqual(results_of(*some).ratio(name, "steelyard", "best peer"), 1.1)
            some[-1] = sample("steelyard", 0, 9.9, scenario=name)
            self.assertEqual([m for _, _, m in results_of(*some).judged()], [True])
            self.assertEqual(results_of(*some[1:]).judged(), [])

    def test_side_by_side_are_all_scenarios_and_the_peers_that_were_there(self):
        text = markdown(results_of(sample("steelyard", 0, 10), sample("nginx", 0, 13),
                                   sample("steelyard", 0, 20, scenario="h2"),
                                   sample("haproxy", 0, 30, scenario="h2")),
                        {}, {"1k": "one KiB", "h2": "streams"})
        self.assertIn("| 1k | 10.0 |  | 1.30 |", text)
        self.assertIn("| h2 | 20.0 | 1.50 |  |", text)

    def test_a_table_has_a_row_for_each_proxy_and_as_many_cells_as_headings(self):
        lines = table(results_of(sample("relay", 0, 10), sample("nginx", 0, 20)), "1k")
        self.assertEqual(len(lines), 4)
        self.assertEqual(len({line.count("|") for line in lines}), 1)
        self.assertIn("| 2.00 |", lines[3])

    def test_markdown_tells_the_machine_the_table_and_the_verdicts(self):
        text = markdown(results_of(sample("relay", 0, 10), sample("steelyard", 0, 13)),
                        {"machine": "two cores"}, {"1k": "one KiB"})
        for part in ("- machine: two cores", "### one KiB", "### Targets", "**missed**"):
            self.assertIn(part, text)

    def test_a_published_text_replaces_what_stands_between_its_marks_and_nothing_else(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "page.md"
            path.write_text("top\n<!-- idle: begin -->\nold\n<!-- idle: end -->\nbottom\n")
            publish(path, "idle", "new\n")
            self.assertEqual(path.read_text(),
                             "top\n<!-- idle: begin -->\nnew\n<!-- idle: end -->\nbottom\n")


class H2loadTest(unittest.TestCase):
    REPORT = """
finished in 1.50s, 2.67 req/s, 1.5KB/s
requests: 6 total, 6 started, 6 done, 4 succeeded, 1 failed, 1 errored, 0 timeout
"""

    def test_its_report_and_its_log_are_counted(self):
        counted = h2load_counts(self.REPORT, "1\t200\t30\n2\t200\t10\n3\t200\t20\n")
        self.assertEqual(counted, {"requests": 4, "errors": 2, "seconds": 1.5, "p50_us": 20,
                                   "p99_us": 30})

    def test_other_words_are_no_report(self):
        with self.assertRaises(ValueError):
            h2load_counts("usage: h2load", "")


if __name__ == "__main__":
    unittest.main()
