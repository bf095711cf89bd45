"""SegFormer against Hugging Face's: its files are read and written, and the same logits come out."""

import json
import re

import numpy as np
import pytest
import torch
from parity.conftest import FOLDER, fill
from safetensors.torch import load_file, save_file

import sfumato
from sfumato import weights, zoo
from sfumato.card import Card
from sfumato.errors import OptionError, WeightsError
from sfumato.methods import segformer
from sfumato.nets.segformer import SHAPES, SegFormer
from sfumato.parts import PARTS

NAMES = {"0": "Background", "1": "Hat", "2": "Hair"} | {str(k): PARTS[k].capitalize() for k in range(3, 18)}


@pytest.fixture(scope="module")
def recorded():
    return np.load(FOLDER / "segformer_b0.npz", allow_pickle=False)


@pytest.fixture(scope="module")
def state(recorded):
    """The golden weights by the names of the files."""
    shapes = dict(json.loads(str(recorded["keys"])))
    counters = {key: torch.tensor(0) for key in shapes if key.endswith("num_batches_tracked")}
    return fill({key: shape for key, shape in shapes.items() if key not in counters}) | counters


@pytest.fixture(scope="module")
def files(state, recorded, tmp_path_factory):
    folder = tmp_path_factory.mktemp("segformer")
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    config = json.loads(str(recorded["config"]))
    (folder / "config.json").write_text(json.dumps(config | {"id2label": NAMES}), encoding="utf-8")
    return {"model": folder / "model.safetensors", "config": folder / "config.json"}


@pytest.fixture(scope="module")
def model(files):
    return sfumato.import_official("segformer", files)


@pytest.mark.parametrize(("size", "name"), [((96, 128), "output"), ((75, 101), "output_odd")])
@torch.inference_mode()
def test_recorded_logits(recorded, model, picture, size, name):
    wanted = torch.from_numpy(recorded[name])
    found = model(picture(*size))
    assert not model.training
    assert found.shape == wanted.shape
    assert float((found - wanted).abs().max() / wanted.std()) < 1e-3


def test_names_and_shapes_are_those_of_the_files(recorded):
    ours = segformer.Model().state_dict()
    assert {key: list(tensor.shape) for key, tensor in ours.items()} == dict(json.loads(str(recorded["keys"])))


@pytest.mark.parametrize(
    ("variant", "numbers"),
    [("b0", 3718770), ("b1", 13681874), ("b2", 27360466), ("b3", 47236306), ("b4", 64006866), ("b5", 84607186)],
)
def test_numbers_of_weights(variant, numbers):
    with torch.device("meta"):
        network = SegFormer(SHAPES[variant], 18)
    assert sum(p.numel() for p in network.parameters()) == numbers


def test_names_of_classes_come_from_the_config(model, files):
    assert model.config.labels == PARTS
    alone = sfumato.import_official("segformer", {"model": files["model"]})
    assert alone.config.labels[:2] == ("label_0", "label_1")
    told = sfumato.import_official("segformer", {"model": files["model"]}, labels="parts")
    assert told.config.labels == PARTS


def test_the_card_names_the_classes(files, tmp_path):
    card = zoo.convert("segformer", files, tmp_path / "parser.safetensors")
    assert card.config["labels"] == list(PARTS) or card.config["labels"] == PARTS
    assert card.config["variant"] == "b0"
    assert sfumato.load(tmp_path / "parser.safetensors").config.labels == PARTS


# Hugging Face's own code


def theirs(transformers, variant, folder):
    """A network of Hugging Face with random weights, and its files in the folder."""
    shape = SHAPES[variant]
    config = transformers.SegformerConfig(
        depths=list(shape.depths),
        hidden_sizes=list(shape.widths),
        decoder_hidden_size=shape.head,
        id2label={int(k): name for k, name in NAMES.items()},
        label2id={name: int(k) for k, name in NAMES.items()},
    )
    network = transformers.SegformerForSemanticSegmentation(config).eval()
    for name, tensor in network.named_parameters():  # matrices are drawn already; all else would be 0 or 1
        if name.endswith(".bias"):
            torch.nn.init.normal_(tensor, std=0.05)
        elif tensor.dim() == 1:
            torch.nn.init.uniform_(tensor, 0.5, 1.5)
    network.decode_head.batch_norm.running_mean.normal_(std=0.05)
    network.decode_head.batch_norm.running_var.uniform_(0.5, 2)
    network.save_pretrained(folder)
    return network


@pytest.mark.parametrize("variant", ["b0", "b2"])
@torch.inference_mode()
def test_random_weights_at_odd_sizes(transformers, variant, tmp_path):
    network = theirs(transformers, variant, tmp_path)
    model = sfumato.import_official(
        "segformer", {"model": tmp_path / "model.safetensors", "config": tmp_path / "config.json"}
    )
    assert model.config.variant == variant
    assert model.config.labels == PARTS
    for size in ((31, 33), (75, 101), (64, 129)):
        images = torch.rand(2, 3, *size)
        wanted = network((images - model.mean) / model.std).logits
        found = model(images)
        assert found.shape == wanted.shape == (2, 18, *(-(-side // 4) for side in size))
        assert float(wanted.std()) > 0.05
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-5)


@torch.inference_mode()
def test_what_is_exported_is_read_by_their_code(transformers, model, tmp_path):
    card = Card(name="parser", method="segformer", config={"variant": "b0", "labels": list(PARTS)})
    weights.save(tmp_path / "parser.safetensors", model, card)
    paths = sfumato.export_transformers(tmp_path / "parser.safetensors", tmp_path / "out")
    assert [path.name for path in paths] == ["model.safetensors", "config.json", "preprocessor_config.json"]
    network = transformers.SegformerForSemanticSegmentation.from_pretrained(tmp_path / "out").eval()
    assert network.config.id2label == dict(enumerate(PARTS))
    images = torch.rand(1, 3, 61, 83)
    wanted = network((images - model.mean) / model.std).logits
    torch.testing.assert_close(model(images), wanted, rtol=0, atol=1e-5)
    processor = transformers.SegformerImageProcessorPil.from_pretrained(tmp_path / "out")
    assert tuple(processor.image_mean) == segformer.MEAN
    again = sfumato.import_official("segformer", {"model": paths[0], "config": paths[1]})
    assert again.config == model.config
    same(again.state_dict(), model.state_dict())


def same(ours, others):
    assert ours.keys() == others.keys()
    assert all(torch.equal(tensor, others[key]) for key, tensor in ours.items())


# The authors' own names, and files that are others


def authors(state):
    """The tensors by the names of NVIDIA's own checkpoints."""
    found = {}
    for key, tensor in state.items():
        if key.startswith("decode_head."):
            key = re.sub(r"linear_c\.(\d)", lambda m: f"linear_c{int(m[1]) + 1}", key)
            for ours, other in (("linear_fuse.", "linear_fuse.conv."), ("batch_norm.", "linear_fuse.bn.")):
                key = key.replace(ours, other)
            found[key.replace("classifier.", "linear_pred.")] = tensor
            continue
        key = key.removeprefix("segformer.encoder.")
        key = re.sub(r"^patch_embeddings\.(\d)", lambda m: f"patch_embed{int(m[1]) + 1}", key)
        key = re.sub(r"^layer_norm\.(\d)", lambda m: f"norm{int(m[1]) + 1}", key)
        key = re.sub(r"^block\.(\d)", lambda m: f"block{int(m[1]) + 1}", key)
        for ours, other in (
            ("attention.self.query", "attn.q"),
            ("attention.self.sr", "attn.sr"),
            ("attention.self.layer_norm", "attn.norm"),
            ("attention.output.dense", "attn.proj"),
            ("layer_norm_1", "norm1"),
            ("layer_norm_2", "norm2"),
            ("patch_embed1.layer_norm", "patch_embed1.norm"),
            ("mlp.dense1", "mlp.fc1"),
            ("mlp.dense2", "mlp.fc2"),
        ):
            key = key.replace(ours, other)
        key = re.sub(r"^(patch_embed\d)\.layer_norm", r"\1.norm", key)
        if ".attention.self.key." in key:
            values = state["segformer.encoder." + unrenamed(key)]
            found[key.replace("attention.self.key", "attn.kv")] = torch.cat((tensor, values))
        elif ".attention.self.value." not in key:
            found[key] = tensor
    return found


def unrenamed(key):
    """The classic name of the values whose keys have that name."""
    stage = re.match(r"block(\d)", key)[1]
    return key.replace(f"block{stage}", f"block.{int(stage) - 1}").replace(".key.", ".value.")


@pytest.mark.parametrize("prefix", ["", "backbone."])
def test_the_authors_own_names(state, model, prefix, tmp_path):
    renamed = {k if k.startswith("decode_head.") else prefix + k: t for k, t in authors(state).items()}
    assert any(key.endswith("attn.kv.weight") for key in renamed)
    torch.save({"state_dict": renamed, "meta": {"iter": 160000}}, tmp_path / "segformer.b0.pth")
    other = sfumato.import_official("segformer", {"model": tmp_path / "segformer.b0.pth"})
    same(other.state_dict(), model.state_dict())


def test_a_file_of_imagenet_gets_a_new_head_for_parts(state, model, tmp_path, caplog):
    trained = {k: t for k, t in state.items() if k.startswith("segformer.")}
    classes = {"classifier.weight": torch.zeros(1000, 256), "classifier.bias": torch.zeros(1000)}
    save_file(trained | classes, tmp_path / "mit.safetensors")
    other = sfumato.import_official("segformer", {"model": tmp_path / "mit.safetensors"})
    assert "has no head" in caplog.text
    assert other.config.labels == PARTS
    same({k: t for k, t in other.state_dict().items() if k in trained}, trained)


def test_other_classes_get_a_new_last_layer(state, tmp_path, caplog):
    many = {"decode_head.classifier.weight": torch.ones(150, 256, 1, 1), "decode_head.classifier.bias": torch.ones(150)}
    save_file(state | many, tmp_path / "ade.safetensors")
    assert len(sfumato.import_official("segformer", {"model": tmp_path / "ade.safetensors"}).config.labels) == 150
    other = sfumato.import_official("segformer", {"model": tmp_path / "ade.safetensors"}, labels="parts")
    assert "other classes" in caplog.text
    kept = "decode_head.linear_fuse.weight"
    assert torch.equal(other.state_dict()[kept], state[kept])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("segformer.encoder.patch_embeddings.0.proj.weight"), "not a SegFormer"),
        (lambda s: s.pop("segformer.encoder.block.2.0.mlp.dense1.bias"), "1 missing: segformer.encoder.block.2.0.mlp"),
        (lambda s: s.update({"decode_head.extra": torch.zeros(1)}), "1 unexpected: decode_head.extra"),
        (
            lambda s: [s.pop(k) for k in list(s) if ".block.3.1." in k],
            r"no SegFormer of a known size: its first stage has 32 channels, its stages \(2, 2, 2, 1\) blocks",
        ),
    ],
)
def test_other_files_are_told(state, change, message, tmp_path):
    changed = dict(state)
    change(changed)
    save_file(changed, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match=message):
        sfumato.import_official("segformer", {"model": tmp_path / "other.safetensors"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "damaged, or not a JSON file"),
        ("[]", "holds no values by name"),
        ('{"sr_ratios": [4, 2, 1, 1]}', r"sr_ratios is \[4, 2, 1, 1\], where these tensors need \[8, 4, 2, 1\]"),
        ('{"id2label": {"0": "hair"}}', "names 1 classes, where the last layer has 18"),
        ('{"id2label": {"hair": 0}}', "not the files of segformer"),
    ],
)
def test_other_configs_are_told(files, text, message, tmp_path):
    (tmp_path / "config.json").write_text(text, encoding="utf-8")
    with pytest.raises(WeightsError, match=message):
        sfumato.import_official("segformer", {"model": files["model"], "config": tmp_path / "config.json"})


def test_unknown_hints_and_roles(files):
    with pytest.raises(WeightsError, match="labels='ade' is unknown"):
        sfumato.import_official("segformer", files, labels="ade")
    with pytest.raises(OptionError, match="needs the files model, perhaps config; given: config"):
        sfumato.import_official("segformer", {"config": files["config"]})


def test_only_parsers_are_exported_so(tmp_path):
    with pytest.raises(OptionError, match="is no parser"):
        sfumato.export_transformers("microast/art", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_file_itself_is_read_by_their_names(model, tmp_path):
    weights.save(tmp_path / "parser.safetensors", model, Card(name="parser", method="segformer"))
    same(load_file(tmp_path / "parser.safetensors"), dict(model.state_dict()))
