"""Series in time: carbon dioxide, sunspots, electricity demand."""

import csv
import io
from typing import NamedTuple

from helpers.data import shipped

import numpy as np


class Series(NamedTuple):
    """One series, cut in time: what comes before the cut is for training.

    Attributes:
        times: datetime64 (T,), rising.
        values: float32 (T,).
        test_start: the place of the first value for testing.
    """

    times: np.ndarray
    values: np.ndarray
    test_start: int

    @property
    def train(self):
        """The values before the cut, float32 (test_start,)."""
        return self.values[: self.test_start]

    @property
    def test(self):
        """The values from the cut on, float32 (T - test_start,)."""
        return self.values[self.test_start :]


def co2():
    """Carbon dioxide at Mauna Loa, monthly means, March 1958 to December 2001 (Keeling, Whorf).

    A month's value is the mean of its measured weeks in `co2_weekly`, a week counting to the month
    of its Saturday. The five months without any measurement (the last in 1964) lie on a straight
    line between their neighbours, so that no value is missing; R's `co2` fills 1964 alike.

    Returns:
        `Series` of 526 months in parts per million, 313 to 374; the test part starts in 1992.

    Raises:
        DataFileError: if `data/co2.csv` is missing or damaged.
    """
    weeks, values, _ = co2_weekly()
    months = weeks.astype("datetime64[M]")
    times = months[0] + np.arange((months[-1] - months[0]).astype(int) + 1)
    place = (months - months[0]).astype(int)
    measured = np.isfinite(values)
    counts = np.bincount(place[measured], minlength=len(times))
    totals = np.bincount(place[measured], values[measured], minlength=len(times))
    known = np.flatnonzero(counts)
    means = np.interp(np.arange(len(times)), known, totals[known] / counts[known])
    return _cut(times, means, "1992-01")


def co2_weekly():
    """Carbon dioxide at Mauna Loa, weekly means as published (Keeling and Whorf, 2004).

    Returns:
        `Series` of 2,284 weeks, each named by its Saturday, in parts per million; NaN in the 59
        weeks without a measurement. The test part starts in 1992.

    Raises:
        DataFileError: if `data/co2.csv` is missing or damaged.
    """
    return _cut(*_columns("co2", "datetime64[D]"), "1992-01-01")


def sunspots():
    """Mean number of sunspots in each year from 1700 to 2008; a cycle takes about 11 years.

    Returns:
        `Series` of 309 years, 0 to 191; the test part starts in 1950.

    Raises:
        DataFileError: if `data/sunspots.csv` is missing or damaged.
    """
    return _cut(*_columns("sunspots", "datetime64[Y]"), "1950")


def demand():
    """Electricity demand in England and Wales, each half-hour of twelve weeks (Taylor, 2003).

    It has two seasons: 48 half-hours a day, 336 a week. It starts on Monday 5 June 2000.

    Returns:
        `Series` of 4,032 half-hours in megawatts, about 19,000 to 40,000; the test part is the
        last three weeks.

    Raises:
        DataFileError: if `data/demand.csv` is missing or damaged.
    """
    return _cut(*_columns("demand", "datetime64[m]"), "2000-08-07")


def _columns(name, time_unit):
    _, *rows = csv.reader(io.StringIO(shipped.read(name).decode()))
    times, values = zip(*rows, strict=True)
    return np.array(times, time_unit), np.array([float(value or "nan") for value in values])


def _cut(times, values, test_start):
    place = int(np.searchsorted(times, np.datetime64(test_start)))
    return Series(times, values.astype("float32"), place)
