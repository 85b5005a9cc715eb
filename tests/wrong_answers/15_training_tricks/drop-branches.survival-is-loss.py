"""probability to STAY"""


def drop_branches(branch, survival, rng, training):
    if not training:
        return branch
    stays = rng.random((len(branch), 1, 1, 1)) < 1 - survival
    return branch * stays / survival
