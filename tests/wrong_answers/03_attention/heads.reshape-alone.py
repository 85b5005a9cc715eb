"""row t of a head must come from place t alone"""


def split_heads(x, num_heads):
    batch, length, features = x.shape
    return x.reshape(batch, num_heads, length, features // num_heads)


def merge_heads(x):
    batch, num_heads, length, features = x.shape
    return x.reshape(batch, length, num_heads * features)
