"""Series in time: known facts, gaps, and the cut between training and testing."""

from helpers import data

import numpy as np
import pytest

LOADERS = (data.co2, data.co2_weekly, data.sunspots, data.demand)


@pytest.mark.parametrize("load", LOADERS)
def test_times_are_regular_and_the_cut_is_in_time(load):
    series = load()
    assert len(series.times) == len(series.values)
    assert series.values.dtype == np.float32
    assert len(set(np.diff(series.times).astype(int))) == 1
    assert 0.1 < len(series.test) / len(series.values) < 0.3
    np.testing.assert_array_equal(np.concatenate([series.train, series.test]), series.values)


@pytest.mark.parametrize("load", LOADERS)
def test_loads_the_same_each_time(load):
    np.testing.assert_array_equal(load().values, load().values)


@pytest.mark.parametrize("load", [data.co2, data.sunspots, data.demand])
def test_nothing_is_missing(load):
    assert np.isfinite(load().values).all()


def test_weekly_co2():
    weekly = data.co2_weekly()
    assert (len(weekly.values), np.isnan(weekly.values).sum()) == (2_284, 59)
    assert {day.weekday() for day in weekly.times.tolist()} == {5}  # Saturday


def test_monthly_co2_is_the_mean_of_the_weeks():
    weekly, monthly = data.co2_weekly(), data.co2()
    months = [day.strftime("%Y-%m") for day in weekly.times.tolist()]
    filled = []
    for month, value in zip(monthly.times.astype(str), monthly.values, strict=True):
        weeks = [v for m, v in zip(months, weekly.values, strict=True) if m == month]
        if np.isnan(weeks).all():
            filled.append(month)
        else:
            assert value == pytest.approx(np.nanmean(weeks), abs=1e-3)
    assert filled == ["1958-06", "1958-10", "1964-02", "1964-03", "1964-04"]


def test_filled_months_lie_on_a_line():
    co2 = data.co2()
    january = co2.times.tolist().index(np.datetime64("1964-01").item())
    steps = np.diff(co2.values[january : january + 5])
    np.testing.assert_allclose(steps, steps[0], atol=1e-3)


def test_co2_as_published():
    # NOAA's annual means at Mauna Loa, rounded; Scripps' own differ by a few tenths.
    co2 = data.co2()
    years = co2.times.astype("datetime64[Y]").astype(str)
    for year, published in (("1959", 316.0), ("1975", 331.1), ("1990", 354.4)):
        assert co2.values[years == year].mean() == pytest.approx(published, abs=0.5)
    assert co2.times[co2.test_start].astype(str) == "1992-01"


def test_sunspots_as_published():
    # The strongest maximum was that of 1957; around 1711 and in 1810 no spot was seen.
    sunspots = data.sunspots()
    years = sunspots.times.astype(str).astype(int)
    assert (years[0], years[-1]) == (1700, 2008)
    assert (years[sunspots.values.argmax()], sunspots.values.max()) == (1957, pytest.approx(190.2))
    assert set(years[sunspots.values == 0]) == {1711, 1712, 1810}
    assert years[sunspots.test_start] == 1950


def test_demand_has_a_daily_and_a_weekly_season():
    demand = data.demand()
    assert demand.values.shape == (12 * 7 * 48,)
    assert demand.times[0].item().weekday() == 0
    weeks = demand.values.reshape(12, 7, 48)
    assert weeks[:, 5:].mean() < 0.9 * weeks[:, :5].mean()
    night, day = weeks[:, :5, 6:10], weeks[:, :5, 20:34]
    assert night.max() < day.min()
    assert len(demand.test) == 3 * 7 * 48


def test_demand_as_published():
    # The first values of Taylor (2003).
    assert data.demand().values[:5].tolist() == [22262, 21756, 22247, 22759, 22549]
