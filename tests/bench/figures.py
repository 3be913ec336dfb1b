"""How the benches of this folder count, and how they print: medians over rounds, ratios, aims."""

import argparse
import os
import statistics


class Rows:
    """What was measured: a row of named values each, found again by some of them."""

    def __init__(self, rows):
        self.rows = rows

    def value(self, figure, **case):
        return next((row.get(figure) for row in self.rows if all(row.get(name) == value for name, value in case.items())), None)


def positive(text):
    value = float(text)
    if not 0 < value <= 60:
        raise argparse.ArgumentTypeError("must be above 0 and at most 60")
    return value


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def ratio(value, base):
    return None if not value or not base else value / base


def number(value, digits=3):
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.{digits}g}"


def print_load(bench):
    """What else this machine does."""
    if os.getloadavg()[0] > 0.5:
        print(f"{bench}: other work runs on this machine: rates and tail latencies say little, processor seconds somewhat more")


def print_aims(bench, aims):
    """`aims`: (what, measured, aim, whether more is better)."""
    aims = list(aims)
    width = max(len(what) for what, *_ in aims) + 3
    print(f"\n{bench}: aims")
    for what, measured, aim, more in aims:
        reached = measured is not None and (measured >= aim if more else measured <= aim)
        print(f"  {what:{width}}{number(measured):>9}   aim {'>=' if more else '<='} {aim:<5}"
              f"{'' if reached else '   MISSED' if measured is not None else '   not measured'}")


def aims_json(aims):
    return [{"what": what, "measured": measured, "aim": aim, "more_is_better": more} for what, measured, aim, more in aims]
