"""a window is cut short"""


def split_windows(values, cut, inputs, horizon):
    scaled = (values - values[:cut].mean()) / values[:cut].std()

    def windows(places):
        return [scaled[t - inputs : t] for t in places], [scaled[t : t + horizon] for t in places]

    return windows(range(inputs, cut - horizon + 1)), windows(range(cut, len(values)))
