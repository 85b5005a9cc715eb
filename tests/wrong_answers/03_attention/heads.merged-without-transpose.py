"""merging must undo splitting"""


def split_heads(x, num_heads):
    batch, length, features = x.shape
    return x.reshape(batch, length, num_heads, features // num_heads).transpose(0, 2, 1, 3)


def merge_heads(x):
    batch, num_heads, length, features = x.shape
    return x.reshape(batch, length, num_heads * features)
