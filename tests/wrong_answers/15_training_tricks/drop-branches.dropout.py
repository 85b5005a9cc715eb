"""which is dropout"""


def drop_branches(branch, survival, rng, training):
    if not training:
        return branch
    stays = rng.random(branch.shape) < survival
    return branch * stays / survival
