"""a lone example, too"""


def drop_branches(branch, survival, rng, training):
    if not training:
        return branch
    stays = rng.permutation(len(branch)) < round(survival * len(branch))
    return branch * stays[:, None, None, None] / survival
