"""changed in place"""


def drop_branches(branch, survival, rng, training):
    if training:
        branch[rng.random(len(branch)) >= survival] = 0
        branch /= survival
    return branch
