"""head 0 must hold the first D / num_heads features"""


def split_heads(x, num_heads):
    batch, length, features = x.shape
    return x.reshape(batch, length, features // num_heads, num_heads).transpose(0, 3, 1, 2)


def merge_heads(x):
    batch, num_heads, length, features = x.shape
    return x.transpose(0, 2, 3, 1).reshape(batch, length, num_heads * features)
