import json
import pickle
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from skimage import data
from torch.nn import functional

from danqing.core.errors import ModelFileError, ParameterError
from danqing.core.learned.weights import save
from danqing.core.pictures.contract import from_uint8
from danqing.core.progress import finish
from danqing.models.classifier import Classifier
from danqing.nets.backbones import feature_net
from danqing.nets.efficientnet_lite import EfficientNetLite0, bundled_weights, efficientnet_lite0
from danqing.nets.inception import InceptionFID, inception_from, tf1_resize

GOLDEN = Path(__file__).parents[1] / "golden"
RECORD = runpy.run_path(str(GOLDEN / "record.py"))
RECORDED = json.loads((GOLDEN / "backbones.json").read_text())


@pytest.fixture(scope="module")
def inception_file(tmp_path_factory):
    """Drawn weights, in the layout and the file format of the official ones."""
    shapes = {key: tuple(value.shape) for key, value in InceptionFID().state_dict().items()}
    tensors = {key: torch.from_numpy(value) for key, value in RECORD["inception_weights"](shapes).items()}
    file = tmp_path_factory.mktemp("weights") / "pt_inception-2015-12-05-6726825d.pth"
    torch.save(tensors, file)
    return file


@pytest.fixture(scope="module")
def recogniser_file(tmp_path_factory):
    torch.manual_seed(0)
    model = Classifier(size=16, channels=1, classes=4, width=4, dim=8).eval()
    return save(model, tmp_path_factory.mktemp("weights") / "shapes.safetensors")


class TestInception:
    def test_has_the_keys_and_shapes_of_torch_fidelity(self):
        ours = InceptionFID().state_dict()
        assert len(ours) == RECORDED["keys"]
        for key, shape in RECORDED["shapes"].items():
            assert "x".join(map(str, ours[key].shape)) == shape, key

    def test_computes_what_torch_fidelity_computes(self, inception_file):
        net = inception_from(inception_file)
        pictures = torch.from_numpy(RECORD["small_pictures"]())
        with torch.no_grad():
            features = net.features(pictures.float() / 255)
            logits = net.logits(features)
        assert torch.allclose(features[:, ::128], torch.tensor(RECORDED["features"]), atol=1e-4)
        assert torch.allclose(logits[:, ::128], torch.tensor(RECORDED["logits"]), atol=2e-4)

    def test_resizes_as_torch_fidelity_does(self):
        pictures = torch.from_numpy(RECORD["small_pictures"]()).float()
        expected = torch.tensor(RECORDED["resized"])
        assert torch.allclose(tf1_resize(pictures, 299)[0, :, ::37, ::41], expected, atol=1e-3)

    @pytest.mark.parametrize("shape", [(5, 7), (299, 299), (400, 613), (1, 1)])
    def test_resizes_by_the_formula_of_tensorflow_one(self, shape):
        x = np.random.RandomState(0).rand(*shape)
        got = tf1_resize(torch.from_numpy(x)[None, None], 13)[0, 0].numpy()
        for i in range(13):
            for j in range(13):
                down, right = i * shape[0] / 13, j * shape[1] / 13
                top, left = int(down), int(right)
                low, far = min(top + 1, shape[0] - 1), min(left + 1, shape[1] - 1)
                p, q = down - top, right - left
                upper = x[top, left] * (1 - q) + x[top, far] * q
                lower = x[low, left] * (1 - q) + x[low, far] * q
                assert got[i, j] == pytest.approx(upper * (1 - p) + lower * p, abs=1e-4)

    def test_reads_safetensors_and_pth_alike_and_takes_any_size(self, inception_file, tmp_path):
        file = tmp_path / "inception.safetensors"
        save_file(torch.load(inception_file, weights_only=True), file)
        first, second = inception_from(inception_file).state_dict(), inception_from(file).state_dict()
        assert all(torch.equal(first[key], second[key]) for key in first)
        net = feature_net(str(file))
        assert net.official
        assert net(torch.rand(1, 1, 20, 30, generator=torch.Generator().manual_seed(0))).shape == (1, 2048)

    def test_refuses_what_does_not_fit(self, tmp_path, inception_file):
        with pytest.raises(ParameterError, match="do not come with danqing"):
            feature_net("inception")
        with pytest.raises(ModelFileError, match="no such weights file"):
            feature_net("inception", tmp_path / "none.pth")
        with pytest.raises(ModelFileError, match="does not hold the FID Inception network"):
            feature_net("inception", bundled_weights())
        torch.save([1, 2, 3], tmp_path / "list.pth")
        with pytest.raises(ModelFileError, match="does not hold the FID Inception network"):
            feature_net("inception", tmp_path / "list.pth")
        (tmp_path / "cut.pth").write_bytes(inception_file.read_bytes()[:1000])
        with pytest.raises(ModelFileError, match="not a file of plain tensors"):
            feature_net("inception", tmp_path / "cut.pth")

    def test_never_unpickles(self, tmp_path):
        trap = tmp_path / "trap"

        class Bomb:
            def __reduce__(self):
                return Path.touch, (trap,)

        (tmp_path / "bomb.pth").write_bytes(pickle.dumps(Bomb(), protocol=2))
        torch.save({"fc.weight": Bomb()}, tmp_path / "bomb2.pth")
        for name in ("bomb.pth", "bomb2.pth"):
            with pytest.raises(ModelFileError, match="not a file of plain tensors"):
                feature_net("inception", tmp_path / name)
        assert not trap.exists()


class TestEfficientNet:
    def test_recognises_a_cat_and_a_cup_of_espresso(self):
        net = feature_net("efficientnet-lite0")
        for picture, label, sure in ((data.chelsea(), 285, 0.7), (data.coffee(), 967, 0.8)):
            chances = net.probabilities(from_uint8(picture[None]))[0]
            assert chances.argmax() == label
            assert chances[label] > sure

    def test_folding_changes_nothing(self):
        plain = EfficientNetLite0()
        plain.load_state_dict(torch.load(bundled_weights(), weights_only=True))
        x = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            assert torch.allclose(plain.eval().features(x), efficientnet_lite0().features(x), atol=1e-4)

    def test_grey_pictures_are_taken_as_colour(self):
        net = feature_net("efficientnet-lite0")
        x = torch.rand(1, 1, 40, 50, generator=torch.Generator().manual_seed(0))
        assert torch.equal(net(x), net(x.expand(-1, 3, -1, -1)))


class TestMobileNet:
    def test_pictures_of_a_kind_lie_together(self):
        net = feature_net("mobilenet-v2")
        coins, text = from_uint8(data.coins()[None, ..., None]), from_uint8(data.page()[None, ..., None])
        corner = (..., slice(0, 128), slice(0, 128))
        other = (..., slice(40, 168), slice(100, 228))
        seen = net(torch.cat([coins[corner], coins[other], text[corner], text[other]]))
        apart = torch.cdist(seen, seen)
        assert seen.shape == (4, net.dim)
        assert max(apart[0, 1], apart[2, 3]) < apart[:2, 2:].min()

    def test_grey_pictures_are_taken_as_colour(self):
        net = feature_net("mobilenet-v2")
        x = torch.rand(1, 1, 40, 50, generator=torch.Generator().manual_seed(0))
        assert torch.equal(net(x), net(x.expand(-1, 3, -1, -1)))


class TestFeatureNet:
    def test_a_picture_is_described_alike_in_any_company(self, recogniser_file):
        net = feature_net(str(recogniser_file))
        x = torch.rand(net.chunk + 3, 1, 20, 16, generator=torch.Generator().manual_seed(0))
        together = net(x)
        assert together.shape == (len(x), net.dim) == (67, 8)
        assert torch.equal(net(x[5:6]), together[5:6])
        assert torch.equal(net(x[64:]), together[64:])

    def test_a_set_is_described_with_progress_as_its_pictures_are(self, recogniser_file, tmp_path):
        net = feature_net(str(recogniser_file))
        pictures = np.memmap(tmp_path / "set", np.uint8, "w+", shape=(100, 3, 24, 16))
        pictures[:] = np.random.RandomState(0).randint(0, 256, pictures.shape)
        shown = []
        features, chances = finish(net.describe(pictures, "looking"), shown.append)
        assert [(p.done, p.total) for p in shown] == [(64, 100), (100, 100)]
        x = torch.from_numpy(np.array(pictures)).float() / 255
        assert torch.equal(features, net(x))
        assert torch.equal(chances, net.probabilities(x))
        assert torch.allclose(chances.sum(1), torch.ones(100))

    def test_says_what_a_recipe_must_say(self, recogniser_file):
        net = feature_net(str(recogniser_file))
        assert net.recipe.keys() == {"features", "weights", "resize", "colour"}
        assert (net.name, net.classes, len(net.sha256)) == ("shapes", 4, 64)
        assert not net.official

    def test_refuses_other_names_and_needless_weights(self, tmp_path, recogniser_file):
        with pytest.raises(ModelFileError, match="no such weights file"):
            feature_net("resnet50")
        with pytest.raises(ParameterError, match="brings its own weights"):
            feature_net("efficientnet-lite0", tmp_path)


def test_the_resize_of_tensorflow_one_is_neither_of_torchs():
    # on a ramp it lags by (scale - 1) / 2, which half-pixel centres take out; FID depends on it
    ramp = torch.arange(16.0).expand(1, 1, 16, 16)
    assert torch.allclose(tf1_resize(ramp, 4)[0, 0, 0], torch.tensor([0.0, 4.0, 8.0, 12.0]))
    assert torch.allclose(
        functional.interpolate(ramp, (4, 4), mode="bilinear")[0, 0, 0], torch.tensor([1.5, 5.5, 9.5, 13.5])
    )
