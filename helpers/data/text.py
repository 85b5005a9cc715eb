"""Texts that can be made without a corpus: dates, surnames, number words; and their characters."""

import datetime
import importlib

from helpers import arguments
from helpers.data import splits

import numpy as np

#: How a date is written by `dates`: a locale and a pattern of the Unicode date format language.
DATE_FORMATS = (
    ("en_US", "EEEE, MMMM d, y"),
    ("en_US", "M/d/y"),
    ("en_GB", "d MMM y"),
    ("de", "EEEE, d. MMMM y"),
    ("de", "dd.MM.y"),
    ("fr", "EEEE d MMMM y"),
    ("es", "d 'de' MMMM 'de' y"),
    ("it", "EEEE d MMMM y"),
    ("nl", "EEEE d MMMM y"),
)

#: The languages of `surnames`, by label.
SURNAME_LANGUAGES = (
    "Croatian",
    "Dutch",
    "English",
    "Finnish",
    "German",
    "Italian",
    "Slovak",
    "Spanish",
)

#: The languages of `number_words`, as num2words calls them.
NUMBER_LANGUAGES = ("de", "en", "es", "fr", "it", "nl", "pt")

_FAKER_LOCALES = ("hr_HR", "nl_NL", "en_GB", "fi_FI", "de_AT", "it_IT", "sk_SK", "es_ES")
_FIRST_DAY = datetime.date(1950, 1, 1)
_DAYS = (datetime.date(2050, 1, 1) - _FIRST_DAY).days
_NUMBERS = 100_000
_TEST_SHARE = 0.1


def dates(train_size=19_500, test_size=1_000, seed=0):
    """Dates as people write them, and the same dates in ISO 8601.

    The dates lie between 1950 and 2049. Each is written in one of `DATE_FORMATS`: nine formats in
    six languages, such as "Thursday, March 7, 2024", "3/7/2024" or "jeudi 7 mars 2024". One day in
    ten is kept for the test set, the same days for every seed, so no test date occurs in training
    in any format. No text occurs twice.

    Args:
        train_size: number of training pairs.
        test_size: number of test pairs.
        seed: whole number that selects the pairs.

    Returns:
        `(train_sources, train_targets), (test_sources, test_targets)`: lists of str. Sources have
        8 to 30 characters; targets have 10, such as "2024-03-07".

    Raises:
        ValueError: if a size is negative or larger than the number of different texts.
    """
    parts = _draw_from_split(train_size, test_size, _DAYS, len(DATE_FORMATS), seed)
    return tuple(_dates(numbers, formats) for numbers, formats in parts)


def write_date(day):
    """Writes one day in each of `DATE_FORMATS`.

    Args:
        day: a `datetime.date`.

    Returns:
        List of nine str.

    Raises:
        ValueError: if it is not a date.
    """
    if not isinstance(day, datetime.date):
        raise ValueError(f"day is {day!r}; it must be a datetime.date")
    return [pattern.apply(day, locale) for locale, pattern in _date_patterns()]


def surnames():
    """Surnames of eight languages (from Faker), in a fixed split.

    Names that occur in more than one language are left out. A fifth of each language is for
    testing. The languages are not equally frequent: always saying Slovak is right for 0.23.

    Returns:
        `(train_names, train_labels), (test_names, test_labels)`: lists of str, and labels int32
        (n,), places in `SURNAME_LANGUAGES`.
    """
    names_by_language = [_faker_surnames(locale) for locale in _FAKER_LOCALES]
    rng = np.random.default_rng(0)
    train, test = [], []
    for label, names in enumerate(names_by_language):
        others = set().union(*(other for other in names_by_language if other is not names))
        names = rng.permutation(sorted(names - others)).tolist()
        fifth = len(names) // 5
        test += [(name, label) for name in names[:fifth]]
        train += [(name, label) for name in names[fifth:]]
    return tuple(_names_and_labels(part, rng.permutation(len(part))) for part in (train, test))


def number_words(source="en", target="fr", train_size=8_000, test_size=1_000, seed=0):
    """Whole numbers below 100,000 in words, in two languages: exact translations.

    One number in ten is kept for the test set, the same numbers for every seed and every pair of
    languages, so no test number occurs in training.

    Args:
        source, target: two of `NUMBER_LANGUAGES`.
        train_size: number of training pairs.
        test_size: number of test pairs.
        seed: whole number that selects the pairs.

    Returns:
        `(train_sources, train_targets), (test_sources, test_targets)`: lists of str, such as
        "forty-two" and "quarante-deux".

    Raises:
        ValueError: if a language is unknown, or a size is negative or too large.
    """
    for name, language in (("source", source), ("target", target)):
        arguments.check_choice(name, language, NUMBER_LANGUAGES)
    parts = _draw_from_split(train_size, test_size, _NUMBERS, 1, seed)
    return tuple((_words(numbers, source), _words(numbers, target)) for numbers, _ in parts)


class Characters:
    """Numbers for characters and back. 0 is padding, 1 is a character never seen before.

    Args:
        texts: the texts whose characters get a number, an iterable of str.

    Attributes:
        characters: the known characters in order, a str; the first has the number 2.
        size: how many numbers there are, 0 and 1 included.
    """

    PADDING = 0
    UNKNOWN = 1

    def __init__(self, texts):
        self.characters = "".join(sorted(set().union(*_list_of_texts(texts))))
        self.size = len(self.characters) + 2
        self._numbers = {character: i for i, character in enumerate(self.characters, start=2)}

    def encode(self, texts, length):
        """Turns texts into rows of numbers, padded at the end with 0.

        Args:
            texts: n texts, an iterable of str.
            length: the width of the rows.

        Returns:
            int32 (n, length).

        Raises:
            ValueError: if a text is longer than `length`, or `texts` is a single str.
        """
        arguments.check_whole_number("length", length, 1)
        texts = _list_of_texts(texts)
        ids = np.full((len(texts), length), self.PADDING, "int32")
        for row, text in zip(ids, texts, strict=True):
            if len(text) > length:
                raise ValueError(
                    f"length is {length}; {text!r} has {len(text)} characters and does not fit"
                )
            row[: len(text)] = [self._numbers.get(c, self.UNKNOWN) for c in text]
        return ids

    def decode(self, ids):
        """Turns rows of numbers into texts, each up to its first padding.

        Args:
            ids: whole numbers (n, length), from 0 to `size` - 1.

        Returns:
            List of n str, where "\N{REPLACEMENT CHARACTER}" stands for a character never seen.

        Raises:
            ValueError: if the numbers or their shape are others.
        """
        ids = np.asarray(ids)
        if ids.ndim != 2 or not np.issubdtype(ids.dtype, np.integer):
            raise ValueError(
                f"ids is {ids.dtype} of shape {ids.shape}; it must be whole numbers (n, length)"
            )
        if ids.size and not 0 <= ids.min() <= ids.max() < self.size:
            raise ValueError(
                f"ids lies between {ids.min()} and {ids.max()}; it must lie between 0 and "
                f"{self.size - 1}"
            )
        table = "\0\N{REPLACEMENT CHARACTER}" + self.characters
        return ["".join(table[i] for i in row).partition("\0")[0] for row in ids.tolist()]


def _list_of_texts(texts):
    if isinstance(texts, str):
        raise ValueError(f"texts is the str {texts!r}; it must be a list of str")
    return list(texts)


def _draw_from_split(train_size, test_size, count, variants, seed):
    """Draws (item, variant) pairs for training and for testing, no pair twice.

    Items 0 … count - 1 are dealt to the two sets by a draw of their own, so that an item of the
    test set is one for every seed.
    """
    order = np.random.default_rng(0).permutation(count)
    cut = round(count * _TEST_SHARE)
    parts = []
    wanted = (("train", train_size, order[cut:]), ("test", test_size, order[:cut]))
    for split, size, items in wanted:
        most = len(items) * variants
        arguments.check_whole_number(f"{split}_size", size, 0, most)
        pairs = splits.generator(split, seed).choice(most, size, replace=False)
        parts.append((items[pairs // variants], pairs % variants))
    return parts


def _dates(numbers, formats):
    patterns = _date_patterns()
    days = [_FIRST_DAY + datetime.timedelta(days=number) for number in numbers.tolist()]
    sources = [
        patterns[i][1].apply(day, patterns[i][0])
        for day, i in zip(days, formats.tolist(), strict=True)
    ]
    return sources, [day.isoformat() for day in days]


def _date_patterns():
    from babel.dates import parse_pattern

    return [(locale, parse_pattern(pattern)) for locale, pattern in DATE_FORMATS]


def _faker_surnames(locale):
    provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
    return {name.strip() for name in provider.last_names if "," not in name}


def _names_and_labels(pairs, order):
    names, labels = zip(*(pairs[i] for i in order), strict=True)
    return list(names), np.array(labels, "int32")


def _words(numbers, language):
    from num2words import num2words

    return [num2words(number, lang=language) for number in numbers.tolist()]
