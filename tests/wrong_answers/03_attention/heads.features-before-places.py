"""the merged heads have shape"""


def split_heads(x, num_heads):
    batch, length, features = x.shape
    return x.reshape(batch, length, num_heads, features // num_heads).transpose(0, 2, 1, 3)


def merge_heads(x):
    batch, num_heads, length, features = x.shape
    return x.transpose(0, 1, 3, 2).reshape(batch, num_heads * features, length)
