"""at test time the branch must come through unchanged"""


def drop_branches(branch, survival, rng, training):
    if not training:
        return branch * survival
    stays = rng.random((len(branch), 1, 1, 1)) < survival
    return branch * stays
