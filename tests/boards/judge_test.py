#!/usr/bin/env python3
"""The judge of the boards' cluster test, on lives that were made up: each of its rules finds what breaks it, and nothing in a good run."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0])
import judge    # noqa: E402
from guest import Line    # noqa: E402


class Life:
    """A node as guest.Node gives it: what it said, as "boot at event key=value ...", and when it died."""

    def __init__(self, name, *said, deaths=()):
        self.name = name
        self.deaths = list(deaths)
        self.said = []
        for line in said:
            boot, at, event, *words = line.split()
            self.said.append(Line(float(at), int(boot), {"event": event, **dict(word.split("=") for word in words)}))

    def lines(self, event=None):
        return [line for line in self.said if event in (None, line.words["event"])]


def publisher(*more):
    return Life("publisher", "0 1 published id=1 sequence=1 token=5", "0 2 published id=2 sequence=2 token=5",
                "0 3 outcome id=1 outcome=acknowledged", *more)


def subscriber(*handled):
    return Life("subscriber", *(f"{boot} {at} handled node=12 sequence={sequence} token={token}" for boot, at, sequence, token in handled))


GOOD = subscriber((0, 1, 1, 5), (0, 2, 2, 5))


class Lost(unittest.TestCase):
    def test_all_is_handled(self):
        self.assertEqual(judge.lost(GOOD, publisher(), 12), [])

    def test_one_was_never_handled(self):
        self.assertEqual(judge.lost(subscriber((0, 1, 1, 5)), publisher(), 12), [2])

    def test_one_was_handled_for_another_publisher(self):
        self.assertEqual(judge.lost(GOOD, publisher(), 13), [1, 2])

    def test_a_fenced_one_is_no_loss_and_an_expired_one_is(self):
        some = subscriber((0, 1, 1, 5))
        self.assertEqual(judge.lost(some, publisher("0 4 outcome id=2 outcome=fenced"), 12), [])
        self.assertEqual(judge.lost(some, publisher("0 4 outcome id=2 outcome=expired"), 12), [2])

    def test_an_id_that_is_given_out_again_is_that_of_the_later_message(self):
        again = publisher("1 5 published id=1 sequence=3 token=5", "1 6 outcome id=1 outcome=fenced")
        self.assertEqual(judge.fenced(again), {3})
        self.assertEqual(judge.lost(subscriber((0, 2, 2, 5)), again, 12), [1])


class Repeated(unittest.TestCase):
    def test_once_in_each_life(self):
        self.assertEqual(judge.repeated(subscriber((0, 1, 1, 5), (1, 2, 1, 5)), 12), [])

    def test_twice_in_one_life(self):
        self.assertEqual(judge.repeated(subscriber((0, 1, 1, 5), (0, 2, 1, 5)), 12), [1])


class Holders(unittest.TestCase):
    def test_one_after_the_other(self):
        one = Life("one", "0 1 lease_held token=1", "0 4 lease_lost token=1")
        self.assertEqual(judge.holders_max([one, Life("two", "0 5 lease_held token=2")]), 1)

    def test_one_before_the_other_has_lost_it(self):
        one = Life("one", "0 1 lease_held token=1", "0 6 lease_lost token=1")
        self.assertEqual(judge.holders_max([one, Life("two", "0 5 lease_held token=2")]), 2)

    def test_a_death_and_a_reset_end_it(self):
        two = Life("two", "0 5 lease_held token=2")
        self.assertEqual(judge.holders_max([Life("one", "0 1 lease_held token=1", deaths=[4.0]), two]), 1)
        self.assertEqual(judge.holders_max([Life("one", "0 1 lease_held token=1", "1 4 started epoch=3"), two]), 1)
        self.assertEqual(judge.holders_max([Life("one", "0 1 lease_held token=1", "1 6 started epoch=3"), two]), 2)

    def test_it_was_in_jeopardy_and_never_lost(self):
        one = Life("one", "0 1 lease_held token=1", "0 2 lease_jeopardy token=1", "0 3 lease_held token=1", "0 4 lease_lost token=1")
        self.assertEqual(len(judge.holdings(one)), 1)


class Tokens(unittest.TestCase):
    def test_they_grow(self):
        self.assertIsNone(judge.tokens_fall([Life("one", "0 1 lease_held token=1"), Life("two", "0 5 lease_held token=2")]))

    def test_one_is_given_twice(self):
        fallen = judge.tokens_fall([Life("one", "0 1 lease_held token=2"), Life("two", "0 5 lease_held token=2")])
        self.assertEqual(fallen.name, "two")

    def test_a_stale_one_is_handled_in_the_same_life_or_after_a_reset(self):
        self.assertIsNone(judge.stale_handled(subscriber((0, 1, 1, 5), (1, 2, 2, 9))))
        self.assertEqual(judge.stale_handled(subscriber((0, 1, 1, 9), (0, 2, 2, 5))).words["sequence"], "2")
        self.assertEqual(judge.stale_handled(subscriber((0, 1, 1, 9), (1, 2, 2, 5))).words["sequence"], "2")

    def test_a_node_publishes_under_its_token_when_another_holds_a_higher_one(self):
        one = Life("one", "0 1 lease_held token=1", "0 2 published id=1 sequence=1 token=1", "0 3 lease_lost token=1",
                   "0 6 published id=2 sequence=2 token=1")
        two = Life("two", "0 5 lease_held token=2", "0 6 published id=1 sequence=1 token=2")
        self.assertEqual(judge.published_too_late([one, two]).words["sequence"], "2")
        self.assertIsNone(judge.published_too_late([two]))
        later = Life("two", "0 7 lease_held token=2")
        self.assertIsNone(judge.published_too_late([one, later]))


if __name__ == "__main__":
    unittest.main()
