"""not (B, num_heads, T, D / num_heads)"""


def split_heads(x, num_heads):
    batch, length, features = x.shape
    return x.reshape(batch, length, num_heads, features // num_heads)


def merge_heads(x):
    batch, length, num_heads, features = x.shape
    return x.reshape(batch, length, num_heads * features)
