"""which is dropout"""


def drop_branches(branch, survival, rng, training):
    if not training:
        return branch
    stays = rng.random((len(branch), 1, branch.shape[2], 1)) < survival
    return branch * stays / survival
