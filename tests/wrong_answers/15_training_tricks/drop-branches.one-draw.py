"""each example draws for itself"""


def drop_branches(branch, survival, rng, training):
    if not training:
        return branch
    stays = rng.random(()) < survival
    return branch * stays / survival
