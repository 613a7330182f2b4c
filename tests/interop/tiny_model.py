"""
A language model small enough to make: llama architecture, random weights, the vocabulary of GPT-2.

It says random but well-formed tokens, and never ends by itself. The second kind always begins a tool call, because a
random model never would and a server's grammar holds only what follows the mark; it ends when the grammar lets it.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, version 3, read 2026-11-21.
"""

from __future__ import annotations

import random
import struct
from array import array
from pathlib import Path
from typing import BinaryIO

MARK = "<tool_call>"
TOKENS = ("<|im_start|>", "<|im_end|>", MARK, "</tool_call>")
TEMPLATE = """\
{%- if tools %}
{{- '<|im_start|>system\\nYou have these tools:\\n' }}
{%- for tool in tools %}{{- tool | tojson }}{{- '\\n' }}{%- endfor %}
{{- 'Call one with <tool_call>{"name": ..., "arguments": ...}</tool_call>.<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
{%- if message.role == 'tool' %}
{{- '<|im_start|>user\\n<tool_response>' + message.content + '</tool_response><|im_end|>\\n' }}
{%- elif message.tool_calls %}
{{- '<|im_start|>assistant\\n' }}{% if message.content %}{{ message.content }}{% endif %}
{%- for call in message.tool_calls %}
{%- set said = call.function.arguments %}
{{- '<tool_call>{"name": "' + call.function.name + '", "arguments": ' }}
{{- said if said is string else said | tojson }}{{- '}</tool_call>' }}
{%- endfor %}{{- '<|im_end|>\\n' }}
{%- else %}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{% endif %}
"""

WIDTH, LAYERS, HEADS, CONTEXT = 32, 2, 4, 8192
_U32, _I32, _F32, _STRING, _ARRAY = 4, 5, 6, 8, 9
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_USER_DEFINED = 4
_NEWLINE, _END = 198, 50256  # in GPT-2's vocabulary
_ALIGNMENT = 32


def write_model(vocabulary: Path, out: Path, *, calls: bool) -> None:
    """
    Write a model of about 13 MB.

    Args:
        vocabulary: A GGUF file with tokenizer keys; they are copied.
        calls: Make the model that begins every answer with a tool call.
    """
    keys = _tokenizer(vocabulary)
    tokens = keys["tokenizer.ggml.tokens"]
    count = struct.unpack_from("<Q", tokens, 8)[0]  # after the types of the array and of its items
    _extend(keys, "tokenizer.ggml.tokens", b"".join(map(_string, TOKENS)))
    _extend(keys, "tokenizer.ggml.token_type", struct.pack(f"<{len(TOKENS)}i", *[_USER_DEFINED] * len(TOKENS)))
    _extend(keys, "tokenizer.ggml.scores", struct.pack(f"<{len(TOKENS)}f", *[0.0] * len(TOKENS)))
    keys["tokenizer.chat_template"] = struct.pack("<I", _STRING) + _string(TEMPLATE)
    keys["general.architecture"] = struct.pack("<I", _STRING) + _string("llama")
    numbers = {
        "vocab_size": count + len(TOKENS),
        "context_length": CONTEXT,
        "embedding_length": WIDTH,
        "block_count": LAYERS,
        "feed_forward_length": 2 * WIDTH,
        "attention.head_count": HEADS,
        "attention.head_count_kv": HEADS,
        "rope.dimension_count": WIDTH // HEADS,
    }
    for name, number in numbers.items():
        keys[f"llama.{name}"] = struct.pack("<II", _U32, number)
    keys["llama.attention.layer_norm_rms_epsilon"] = struct.pack("<If", _F32, 1e-5)

    tensors = _tensors(count + len(TOKENS), count + TOKENS.index(MARK) if calls else None)
    unfinished = out.with_suffix(".part")
    with unfinished.open("wb") as file:
        _write(file, keys, tensors)
    unfinished.replace(out)


def _tensors(entries: int, mark: int | None) -> dict[str, tuple[tuple[int, ...], array[float]]]:
    """Make the weights; the first number of a shape is the fastest."""
    source = random.Random(7)
    spread = 0.14

    def weights(*shape: int) -> tuple[tuple[int, ...], array[float]]:
        length = shape[0] * shape[1]
        return shape, array("f", (source.uniform(-spread, spread) for _ in range(length)))

    def ones(length: int) -> tuple[tuple[int, ...], array[float]]:
        return (length,), array("f", [1.0] * length)

    embedding, output = weights(WIDTH, entries), weights(WIDTH, entries)
    # Two directions of the state, each read by few rows of the output. The second is always there and says whether to
    # end; the first is there after a line's end, where the template leaves the model, and says the mark.
    embedding[1][1::WIDTH] = array("f", [2.0] * entries)
    for end in (_END, entries - len(TOKENS) + TOKENS.index("<|im_end|>")):
        output[1][end * WIDTH + 1] = -2.0 if mark is None else 2.0
    if mark is not None:
        embedding[1][_NEWLINE * WIDTH] = 6.0
        output[1][mark * WIDTH] = 4.0
    tensors = {"token_embd.weight": embedding, "output_norm.weight": ones(WIDTH), "output.weight": output}
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        for name in ("attn_norm", "ffn_norm"):
            tensors[f"{block}.{name}.weight"] = ones(WIDTH)
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            tensors[f"{block}.{name}.weight"] = weights(WIDTH, WIDTH)
        for name in ("ffn_gate", "ffn_up"):
            tensors[f"{block}.{name}.weight"] = weights(WIDTH, 2 * WIDTH)
        tensors[f"{block}.ffn_down.weight"] = weights(2 * WIDTH, WIDTH)
    return tensors


def _write(file: BinaryIO, keys: dict[str, bytes], tensors: dict[str, tuple[tuple[int, ...], array[float]]]) -> None:
    file.write(struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(keys)))
    for name, value in keys.items():
        file.write(_string(name) + value)
    offset = 0
    for name, (shape, data) in tensors.items():
        file.write(_string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, offset))
        offset += _padded(4 * len(data))
    file.write(bytes(_padded(file.tell()) - file.tell()))
    for _, data in tensors.values():
        file.write(data.tobytes() + bytes(_padded(4 * len(data)) - 4 * len(data)))


def _tokenizer(path: Path) -> dict[str, bytes]:
    """Return the tokenizer's keys with their type and value as written."""
    data = path.read_bytes()
    magic, version, _, count = struct.unpack_from("<4sIQQ", data)
    if magic != b"GGUF" or version not in (2, 3):
        raise ValueError(f"{path.name} is not a GGUF file of version 2 or 3")
    place, found = 24, {}
    for _ in range(count):
        length = struct.unpack_from("<Q", data, place)[0]
        name = data[place + 8 : place + 8 + length].decode()
        start = place + 8 + length
        kind = struct.unpack_from("<I", data, start)[0]
        place = _after(data, start + 4, kind)
        if name.startswith("tokenizer."):
            found[name] = data[start:place]
    return found


def _after(data: bytes, place: int, kind: int) -> int:
    """Return where the value at *place* ends."""
    if kind == _STRING:
        return place + 8 + int(struct.unpack_from("<Q", data, place)[0])
    if kind != _ARRAY:
        return place + _SIZES[kind]
    inner, count = struct.unpack_from("<IQ", data, place)
    place += 12
    if inner in _SIZES:
        return place + _SIZES[inner] * int(count)
    for _ in range(count):
        place = _after(data, place, inner)
    return place


def _extend(keys: dict[str, bytes], name: str, more: bytes) -> None:
    """Append entries for `TOKENS` to an array, if there is one."""
    if name in keys:
        kind, inner, count = struct.unpack_from("<IIQ", keys[name])
        keys[name] = struct.pack("<IIQ", kind, inner, count + len(TOKENS)) + keys[name][16:] + more


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _padded(length: int) -> int:
    return -(-length // _ALIGNMENT) * _ALIGNMENT
