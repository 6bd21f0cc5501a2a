"""Small tokenizers of every model that there is, made of a few sentences; nothing is downloaded."""

from __future__ import annotations

from functools import cache
from typing import Any

SENTENCES = [
    "Ana met Bo in Rome. “We won”, Ana said, “and they lost”.",
    "At least 1,200 people fled Z̆ovin’s dam – said the Élysée; cafe\u0301.",
    "東京で30人が死亡した。 👩‍👩‍👧 and 🙂 met İnci in Straße 5.",
]
SPECIAL = ["[UNK]", "[CLS]", "[SEP]", "[PAD]"]
NAMES = ("words", "wordpiece", "bytes", "bytes-with-spaces", "unigram")


@cache
def tokenizer(name: str) -> Any:
    """A `tokenizers.Tokenizer`: whole words; WordPiece that lowers case and strips accents; byte-level BPE, its offsets without
    and with the leading space; Unigram with Metaspace. All but "bytes" put special tokens around a text."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

    quiet: dict[str, Any] = {"special_tokens": SPECIAL, "show_progress": False}
    around = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    if name == "words":
        made = Tokenizer(models.WordLevel(unk_token="[UNK]"))
        made.pre_tokenizer = pre_tokenizers.Whitespace()
        trainer: Any = trainers.WordLevelTrainer(**quiet)
    elif name == "wordpiece":
        made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        made.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=True)
        made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(vocab_size=120, **quiet)
    elif name.startswith("bytes"):
        made = Tokenizer(models.BPE())
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        trainer = trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, **quiet)
    else:
        made = Tokenizer(models.Unigram())
        made.normalizer = normalizers.NFKC()
        made.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(vocab_size=90, unk_token="[UNK]", **quiet)
    made.train_from_iterator(SENTENCES, trainer)
    made.post_processor = processors.ByteLevel(trim_offsets=True) if name == "bytes" else around
    return made


@cache
def fast(name: str) -> Any:
    """The same as a PreTrainedTokenizerFast of transformers."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer(name), unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]"
    )
