"""What must hold of a run of the boards' cluster test, from what its nodes said and from what was done to them."""

import collections

# Two clocks are compared to about a millisecond (guest.LineReader); leases change hands hundreds of milliseconds apart.
CLOCKS_AGREE_S = 0.005

Holding = collections.namedtuple("Holding", "name token begin end")


def published(node):
    """The numbers that a publisher said were accepted. A start of its begins again behind the last one that its journal kept."""
    return {int(line.words["sequence"]) for line in node.lines("published")}


def handled(subscriber, publisher_id):
    """How often each number of that publisher was handled, in each life of the subscriber."""
    counts = collections.Counter()
    for line in subscriber.lines("handled"):
        if int(line.words["node"]) == publisher_id:
            counts[line.boot, int(line.words["sequence"])] += 1
    return counts


def lost(subscriber, publisher, publisher_id):
    """What was accepted, and neither handled nor refused by the fence, which its publisher was told of. Any other end is a loss."""
    seen = {sequence for _, sequence in handled(subscriber, publisher_id)}
    return sorted(published(publisher) - seen - fenced(publisher))


def fenced(publisher):
    """The numbers whose publisher was told that they came under a token that was no longer valid."""
    sequence_of = {}    # of an id, which a start that finds nothing unsettled gives out again
    found = set()
    for line in publisher.lines():
        event = line.words.get("event")
        if event == "published":
            sequence_of[line.words["id"]] = int(line.words["sequence"])
        elif event == "outcome" and line.words["outcome"] == "fenced" and line.words["id"] in sequence_of:
            found.add(sequence_of[line.words["id"]])
    return found


def repeated(subscriber, publisher_id):
    """What was handled twice in one life."""
    return sorted(sequence for (_, sequence), count in handled(subscriber, publisher_id).items() if count > 1)


def holdings(node):
    """When a node said that it holds the lease: from each lease_held to the lease_lost, the reset or the death that ended it."""
    result = []
    ends = sorted([line.at for line in node.lines("lease_lost")] + node.deaths)
    starts_of_boots = {}
    for line in node.lines():
        starts_of_boots.setdefault(line.boot, line.at)
    seen = set()
    for line in node.lines("lease_held"):
        if (line.boot, line.words["token"]) in seen:    # it was in jeopardy meanwhile, and never lost
            continue
        seen.add((line.boot, line.words["token"]))
        candidates = [at for at in ends if at > line.at] + [at for boot, at in starts_of_boots.items() if boot > line.boot]
        result.append(Holding(node.name, int(line.words["token"]), line.at, min(candidates, default=float("inf"))))
    return result


def holders_max(nodes):
    """The most that held the lease at one time."""
    changes = []
    for holding in (each for node in nodes for each in holdings(node)):
        changes.append((holding.begin + CLOCKS_AGREE_S, 1))
        changes.append((max(holding.end, holding.begin + CLOCKS_AGREE_S), -1))
    most = now = 0
    for _, change in sorted(changes):
        now += change
        most = max(most, now)
    return most


def tokens_fall(nodes):
    """Tokens of one lease only grow from one holder to the next; the first that does not."""
    order = sorted((holding for node in nodes for holding in holdings(node)), key=lambda holding: holding.begin)
    for before, after in zip(order, order[1:]):
        if after.token <= before.token:
            return after
    return None


def stale_handled(subscriber):
    """The first message that was handled under a lower token than one before it. Its journal keeps the highest through all its lives."""
    highest = 0
    for line in subscriber.lines("handled"):
        token = int(line.words["token"])
        if token < highest:
            return line
        highest = token
    return None


def published_too_late(nodes):
    """The first message that was published under a token when another node held the lease under a higher one."""
    for node in nodes:
        others = [holding for other in nodes if other is not node for holding in holdings(other)]
        for line in node.lines("published"):
            token = int(line.words["token"])
            if any(holding.token > token and holding.begin + CLOCKS_AGREE_S < line.at for holding in others):
                return line
    return None
