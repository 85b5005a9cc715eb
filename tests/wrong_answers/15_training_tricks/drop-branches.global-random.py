"""draw from `rng`"""


def drop_branches(branch, survival, rng, training):
    if not training:
        return branch
    stays = np.random.random((len(branch), 1, 1, 1)) < survival  # noqa: NPY002
    return branch * stays / survival
