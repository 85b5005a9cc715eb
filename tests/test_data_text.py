"""Dates, surnames, number words and the numbers of characters."""

import datetime
import importlib
import re

from helpers import data

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from num2words import num2words

# Written by hand, so that Babel is held to something.
MONTHS = {
    "en": "january february march april may june july august september october november december",
    "de": "januar februar märz april mai juni juli august september oktober november dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre "
    "diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre "
    "dicembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
}
WEEKDAYS = {
    "en": "monday tuesday wednesday thursday friday saturday sunday",
    "de": "montag dienstag mittwoch donnerstag freitag samstag sonntag",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "nl": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
}
MONTH_NUMBERS = {
    name: i for names in MONTHS.values() for i, name in enumerate(names.split(), start=1)
}
WEEKDAY_NUMBERS = {name: i for names in WEEKDAYS.values() for i, name in enumerate(names.split())}
KINDS = {
    "slashes": r"\d+/\d+/\d{4}",
    "dots": r"\d\d\.\d\d\.\d{4}",
    "en_US": r"[A-Z]\w+, [A-Z]\w+ \d+, \d{4}",
    "en_GB": r"\d+ [A-Z]\w+ \d{4}",
    "de": r"[A-Z]\w+, \d+\. [A-Z]\w+ \d{4}",
    "es": r"\d+ de \w+ de \d{4}",
    "fr, it, nl": r"[a-zì]+ \d+ \w+ \d{4}",
}


@pytest.fixture(scope="module")
def split():
    return data.dates()


def kind(text):
    (found,) = [name for name, pattern in KINDS.items() if re.fullmatch(pattern, text)]
    return found


def read_date(text):
    """Reads a date as a person would who knows the six languages."""
    if kind(text) == "slashes":
        return datetime.datetime.strptime(text, "%m/%d/%Y").date()
    if kind(text) == "dots":
        return datetime.datetime.strptime(text, "%d.%m.%Y").date()
    day, year = (int(number) for number in re.findall(r"\d+", text))
    words = [word for word in re.findall(r"[^\W\d]+", text.lower()) if word != "de"]
    months = {n for name, n in MONTH_NUMBERS.items() if name.startswith(words[-1][:3])}
    (month,) = months if words[-1] not in MONTH_NUMBERS else {MONTH_NUMBERS[words[-1]]}
    date = datetime.date(year, month, day)
    if len(words) == 2:
        assert WEEKDAY_NUMBERS[words[0]] == date.weekday(), text
    return date


class TestDates:
    def test_sizes_and_types(self, split):
        for (sources, targets), size in zip(split, (19_500, 1_000), strict=True):
            assert len(sources) == len(targets) == size
            assert all(type(text) is str for text in sources + targets)

    def test_targets_are_the_dates_of_the_sources(self, split):
        for sources, targets in split:
            for source, target in zip(sources, targets, strict=True):
                assert read_date(source).isoformat() == target

    def test_no_test_date_in_training(self, split):
        (_, train), (_, test) = split
        assert not set(train) & set(test)

    def test_no_test_date_in_training_of_another_seed(self, split):
        (_, train), (_, test) = data.dates(seed=1)
        assert not set(split[0][1]) & set(test)
        assert not set(train) & set(split[1][1])

    def test_no_text_twice(self, split):
        sources = split[0][0] + split[1][0]
        assert len(set(sources)) == len(sources)

    def test_formats_are_equally_frequent(self, split):
        kinds = [kind(text) for text in split[0][0]]
        for name in KINDS:
            share = kinds.count(name) / len(kinds)
            assert share == pytest.approx((3 if "," in name else 1) / 9, rel=0.1), name

    def test_years(self, split):
        years = {int(target[:4]) for _, targets in split for target in targets}
        assert years == set(range(1950, 2050))

    def test_lengths_as_documented(self, split):
        lengths = {len(text) for sources, _ in split for text in sources}
        assert (min(lengths), max(lengths)) == (8, 30)

    def test_same_seed_same_dates(self, split):
        assert data.dates() == split
        assert data.dates(seed=1) != split

    def test_sizes_do_not_change_the_other_part(self, split):
        train, test = data.dates(train_size=10)
        assert len(train[0]) == 10
        assert test == split[1]

    def test_the_most_is_every_test_day_in_every_format(self):
        most = 3_652 * 9  # a tenth of the days of a hundred years
        _, (sources, targets) = data.dates(train_size=0, test_size=most)
        assert len(set(sources)) == most
        assert {targets.count(target) for target in targets[:20]} == {9}
        with pytest.raises(ValueError, match="test_size is 32869"):
            data.dates(test_size=most + 1)

    @pytest.mark.parametrize(
        "arguments", [{"train_size": -1}, {"test_size": 1.5}, {"test_size": 10**6}, {"seed": -1}]
    )
    def test_bad_arguments_are_named(self, arguments):
        (name,) = arguments
        with pytest.raises(ValueError, match=f"{name} is"):
            data.dates(**arguments)


def test_write_date():
    assert data.write_date(datetime.date(2024, 3, 7)) == [
        "Thursday, March 7, 2024",
        "3/7/2024",
        "7 Mar 2024",
        "Donnerstag, 7. März 2024",
        "07.03.2024",
        "jeudi 7 mars 2024",
        "7 de marzo de 2024",
        "giovedì 7 marzo 2024",
        "donderdag 7 maart 2024",
    ]


@pytest.mark.parametrize("day", ["2024-03-07", None, 3])
def test_write_date_refuses_what_is_no_date(day):
    with pytest.raises(ValueError, match="day is"):
        data.write_date(day)


class TestSurnames:
    LOCALES = dict(
        zip(
            data.SURNAME_LANGUAGES,
            ("hr_HR", "nl_NL", "en_GB", "fi_FI", "de_AT", "it_IT", "sk_SK", "es_ES"),
            strict=True,
        )
    )

    def test_no_name_twice(self):
        (train, _), (test, _) = data.surnames()
        assert len(set(train) | set(test)) == len(train) + len(test)

    def test_labels_name_the_only_list_that_holds_the_name(self):
        lists = {}
        for language, locale in self.LOCALES.items():
            provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
            lists[language] = {name.strip() for name in provider.last_names}
        for names, labels in data.surnames():
            for name, label in zip(names, labels, strict=True):
                holders = [language for language, known in lists.items() if name in known]
                assert holders == [data.SURNAME_LANGUAGES[label]]

    def test_shares_are_the_same_in_both_parts(self):
        (_, train), (_, test) = data.surnames()
        assert train.dtype == test.dtype == np.int32
        shares = [np.bincount(labels, minlength=8) / len(labels) for labels in (train, test)]
        np.testing.assert_allclose(*shares, atol=0.002)
        assert shares[1].max() == pytest.approx(0.23, abs=0.005)
        assert len(test) / (len(train) + len(test)) == pytest.approx(0.2, abs=0.001)

    def test_fixed_and_shuffled(self):
        (names, labels), _ = data.surnames()
        (again, _), _ = data.surnames()
        assert names == again
        assert (labels[1:] == labels[:-1]).mean() < 0.25


class TestNumberWords:
    ONES = (
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen"
    )
    TENS = "ten twenty thirty forty fifty sixty seventy eighty ninety"

    def read_english(self, text):
        ones, tens = self.ONES.split(), self.TENS.split()
        total = part = 0
        for word in re.findall("[a-z]+", text):
            if word in ones:
                part += ones.index(word)
            elif word in tens:
                part += 10 * (tens.index(word) + 1)
            elif word == "hundred":
                part *= 100
            elif word == "thousand":
                total, part = part * 1000, 0
            else:
                assert word == "and", word
        return total + part

    @pytest.mark.parametrize("language", [n for n in data.NUMBER_LANGUAGES if n != "en"])
    def test_pairs_are_translations(self, language):
        for sources, targets in data.number_words("en", language, train_size=200, test_size=50):
            for source, target in zip(sources, targets, strict=True):
                assert num2words(self.read_english(source), lang=language) == target

    def test_no_test_number_in_training_for_any_seed_or_language(self):
        (train, _), _ = data.number_words(train_size=2_000, test_size=0)
        _, (_, test) = data.number_words("de", "en", train_size=0, test_size=2_000, seed=1)
        assert len(set(train)) == len(set(test)) == 2_000
        assert not set(train) & set(test)

    def test_repeats(self):
        few = {"train_size": 20, "test_size": 20}
        assert data.number_words(**few) == data.number_words(**few)
        assert data.number_words(**few) != data.number_words(**few, seed=1)

    @pytest.mark.parametrize(
        "arguments", [{"source": "xx"}, {"target": "la"}, {"train_size": 90_001}]
    )
    def test_bad_arguments_are_named(self, arguments):
        (name,) = arguments
        with pytest.raises(ValueError, match=f"{name} is"):
            data.number_words(**arguments)


class TestCharacters:
    def test_by_hand(self):
        characters = data.Characters(["bad", "cab"])
        assert (characters.characters, characters.size) == ("abcd", 6)
        ids = characters.encode(["dab", "", "axe"], 4)
        assert ids.dtype == np.int32
        assert ids.tolist() == [[5, 2, 3, 0], [0, 0, 0, 0], [2, 1, 1, 0]]
        assert characters.decode(ids) == ["dab", "", "a" + 2 * "\N{REPLACEMENT CHARACTER}"]

    def test_decode_stops_at_the_first_padding(self):
        assert data.Characters(["ab"]).decode([[2, 0, 3]]) == ["a"]

    def test_order_of_texts_does_not_matter(self):
        assert data.Characters(["x", "yz"]).characters == data.Characters(["zy", "x"]).characters

    @given(st.lists(st.text(st.characters(exclude_characters="\0")), min_size=1))
    def test_there_and_back(self, texts):
        characters = data.Characters(texts)
        ids = characters.encode(texts, max(len(text) for text in texts) + 1)
        assert characters.decode(ids) == texts
        assert ids.min(initial=0) >= 0
        assert ids.max(initial=0) < characters.size
        assert not (ids == characters.UNKNOWN).any()

    def test_too_long_a_text_is_shown(self):
        with pytest.raises(ValueError, match="length is 3; 'abab' has 4 characters"):
            data.Characters(["ab"]).encode(["ab", "abab"], 3)

    def test_a_single_str_is_refused(self):
        with pytest.raises(ValueError, match="texts is the str 'ab'"):
            data.Characters("ab")
        with pytest.raises(ValueError, match="texts is the str 'ab'"):
            data.Characters(["ab"]).encode("ab", 3)

    @pytest.mark.parametrize("length", [0, -1, 2.5])
    def test_bad_length(self, length):
        with pytest.raises(ValueError, match="length is"):
            data.Characters(["ab"]).encode([""], length)

    @pytest.mark.parametrize("ids", [[[4]], [[-1]], [2, 3], [[2.0]]])
    def test_bad_ids(self, ids):
        with pytest.raises(ValueError, match="ids"):
            data.Characters(["ab"]).decode(ids)
