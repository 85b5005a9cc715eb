"""Photographs, patches of them, and faces."""

import socket

from helpers import data

import numpy as np
import pytest
import skimage.data
from PIL import Image


@pytest.fixture
def unplugged(monkeypatch):
    def refuse(*_):
        raise AssertionError("a photograph was looked for on the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(scope="module")
def patches():
    return data.patches(train_size=400, test_size=200)


def test_all_photos_come_without_a_network(unplugged):
    photos = data.photos()
    assert photos.keys() == data.PHOTO_CREDITS.keys()
    for name, picture in photos.items():
        assert picture.dtype == np.float32, name
        assert picture.ndim == 3, name
        assert picture.shape[-1] == 3, name
        assert 0 <= picture.min() < 0.5 < picture.max() <= 1, name


def test_colours_are_kept():
    np.testing.assert_allclose(data.photo("cat") * 255, skimage.data.chelsea(), atol=1e-4)


def test_grey_photo_has_three_equal_channels():
    picture = data.photo("camera")
    np.testing.assert_array_equal(picture[..., 0], picture[..., 1])
    np.testing.assert_array_equal(picture[..., 0], picture[..., 2])
    np.testing.assert_allclose(picture[..., 0] * 255, skimage.data.camera(), atol=1e-4)


@pytest.mark.parametrize("name", ["horse", "Cat", None])
def test_unknown_photo_lists_the_known(name):
    with pytest.raises(ValueError, match="name is .*astronaut, brick, camera"):
        data.photo(name)


def test_photos_of_the_patches_are_in_colour():
    for name in data.PATCH_NAMES:
        picture = data.photo(name)
        assert np.abs(picture[..., 0] - picture[..., 2]).max() > 0.1, name


def test_patches_shapes_and_balance(patches):
    for (images, labels), size in zip(patches, (400, 200), strict=True):
        assert images.shape == (size, 32, 32, 3)
        assert (images.dtype, labels.dtype) == (np.float32, np.int32)
        assert 0 <= images.min() < images.max() <= 1
        assert np.bincount(labels).tolist() == [size // 10] * 10


def test_patches_come_from_their_side_of_their_photo(patches):
    for (images, labels), is_train in zip(patches, (True, False), strict=True):
        for label, name in enumerate(data.PATCH_NAMES):
            picture = data.photo(name)
            border = picture.shape[1] * 2 // 3
            for patch in images[labels == label][:4]:
                columns = find(patch, picture)
                assert columns.size
                if is_train:
                    assert (columns + 32 <= border).any(), name
                else:
                    assert (columns >= border).any(), name


def find(patch, picture):
    """Returns the left columns of the places where a patch stands in a picture."""
    room = np.array(picture.shape[:2]) - 31
    rows, columns = np.indices(room).reshape(2, -1)
    for y, x in np.argwhere(np.ones((32, 32), bool))[::37]:
        same = (picture[rows + y, columns + x] == patch[y, x]).all(axis=1)
        rows, columns = rows[same], columns[same]
    whole = [
        np.array_equal(picture[y : y + 32, x : x + 32], patch)
        for y, x in zip(rows, columns, strict=True)
    ]
    return columns[np.array(whole, bool)]


def test_no_patch_in_both_splits_and_none_is_flat():
    (x_train, _), (x_test, _) = data.patches()
    assert not {patch.tobytes() for patch in x_train} & {patch.tobytes() for patch in x_test}
    for patches in (x_train, x_test):
        assert np.ptp(patches, axis=(1, 2)).max(axis=1).min() > 0.01


def test_patches_repeat(patches):
    again = data.patches(train_size=400, test_size=100)
    other = data.patches(train_size=400, test_size=100, seed=1)
    np.testing.assert_array_equal(patches[0][0], again[0][0])
    assert not np.array_equal(patches[0][0], other[0][0])


def test_sizes_that_ten_does_not_divide():
    (x_train, y_train), _ = data.patches(train_size=25, test_size=10)
    assert len(x_train) == 25
    assert set(np.bincount(y_train)) == {2, 3}


@pytest.mark.parametrize("arguments", [{"train_size": 9}, {"test_size": 20_001}, {"seed": -1}])
def test_bad_arguments_are_named(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"{name} is"):
        data.patches(**arguments)


@pytest.fixture(scope="module")
def textures():
    return data.textures(train_size=120, test_size=60)


def test_textures_are_grey_balanced_and_repeat(textures):
    for (images, labels), size in zip(textures, (120, 60), strict=True):
        assert images.shape == (size, 64, 64, 1)
        assert (images.dtype, labels.dtype) == (np.float32, np.int32)
        assert 0 <= images.min() < images.max() <= 1
        assert np.bincount(labels).tolist() == [size // 12] * 12
        # Clipping bright stars moves both a little.
        np.testing.assert_allclose(images.mean(axis=(1, 2)), 0.5, atol=0.15)
        np.testing.assert_allclose(np.median(images.std(axis=(1, 2))), 0.2, atol=0.01)
    again, other = (data.textures(120, 12, seed=seed)[0][0] for seed in (0, 1))
    np.testing.assert_array_equal(textures[0][0], again)
    assert not np.array_equal(again, other)


def test_textures_come_from_their_side_of_their_photo(textures):
    for (images, labels), is_train in zip(textures, (True, False), strict=True):
        for label, name in enumerate(data.TEXTURE_NAMES):
            picture = data.photo(name).mean(axis=-1)
            patch = images[labels == label][0, ..., 0]
            columns = places_up_to_scale(patch, picture)
            border = picture.shape[1] * 2 // 3
            assert columns, name
            assert all((c + 64 <= border) if is_train else (c >= border) for c in columns), name


def places_up_to_scale(patch, picture):
    """Returns the left columns of the places that a patch fits after scaling and shifting."""
    inside = np.argwhere((patch > 0.01) & (patch < 0.99))[::61]  # what was not clipped
    values = np.array([patch[y, x] for y, x in inside])
    values = (values - values.mean()) / values.std()
    height, width = (side - 63 for side in picture.shape)
    stack = np.stack([picture[y : y + height, x : x + width] for y, x in inside])
    stack -= stack.mean(axis=0)
    similarity = np.einsum("i,ihw->hw", values, stack) / (len(values) * (stack.std(axis=0) + 1e-9))
    return np.nonzero(similarity > 0.99999)[1].tolist()


def test_many_textures_can_be_cut():
    (x_train, _), (x_test, _) = data.textures(train_size=6_000, test_size=6_000)
    assert len(x_train) == len(x_test) == 6_000


@pytest.mark.parametrize("arguments", [{"train_size": 11}, {"test_size": 20_001}, {"seed": -1}])
def test_bad_arguments_of_textures_are_named(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"{name} is"):
        data.textures(**arguments)


def test_faces():
    (x_train, y_train), (x_test, y_test) = data.faces()
    assert (x_train.shape, x_test.shape) == ((160, 25, 25, 1), (40, 25, 25, 1))
    assert (x_train.dtype, y_train.dtype) == (np.float32, np.int32)
    assert 0 <= x_train.min() < x_train.max() <= 1
    assert (y_train.sum(), y_test.sum()) == (80, 20)
    everything = [image.tobytes() for image in np.concatenate([x_train, x_test])]
    assert len(set(everything)) == 200


def test_labels_of_faces():
    # scikit-image's first hundred are faces.
    shipped = skimage.data.lfw_subset().astype("float32")
    faces = {image.tobytes() for image in shipped[:100]}
    for images, labels in data.faces():
        assert [image.tobytes() in faces for image in images] == (labels == 1).tolist()
    np.testing.assert_array_equal(data.faces()[0][0], data.faces()[0][0])


@pytest.fixture
def folder(tmp_path):
    """Ten pictures of one colour each, 12 × 20 pixels, in two folders."""
    for i in range(10):
        path = tmp_path / ("half" if i % 2 else "rest") / f"{i}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (20, 12), (20 * i, 0, 255)).save(path)
    return tmp_path


def test_faces_of_a_folder(folder):
    (x_train, y_train), (x_test, y_test) = data.faces(folder, side=8)
    assert x_train.shape == (8, 8, 8, 3)
    assert x_test.shape == (2, 8, 8, 3)
    assert x_train.dtype == np.float32
    np.testing.assert_array_equal(np.concatenate([y_train, y_test]), np.ones(10, "int32"))
    images = np.concatenate([x_train, x_test])
    # Every picture once, in [0, 1], its colour as it was.
    reds = np.sort(np.round(images[:, 4, 4, 0] * 255))
    np.testing.assert_array_equal(reds, 20 * np.arange(10))
    np.testing.assert_allclose(images[..., 2], 1, atol=1e-6)


def test_faces_of_a_folder_repeat_and_are_no_more_than_asked_for(folder):
    first, again = (data.faces(folder, side=8, count=5)[0][0] for _ in range(2))
    assert len(first) == 4
    np.testing.assert_array_equal(first, again)


def test_folders_that_will_not_do(tmp_path):
    with pytest.raises(ValueError, match=r"nowhere.*no such folder.*img_align_celeba"):
        data.faces(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="holds no pictures"):
        data.faces(tmp_path)
    Image.new("RGB", (4, 4)).save(tmp_path / "one.png")
    with pytest.raises(ValueError, match="holds 1 pictures"):
        data.faces(tmp_path)
