# prepare.py: fixed. The text, the clock, the measure and the submission; train.py is the file to change.
import json
import math
import time

import torch
from torch.nn import functional as F

# A run trains for so long: as time passes on a GPU, in seconds of the processor without, so that other work on the machine
# takes nothing away. Some time after that it is stopped from outside, and gives nothing.
TRAIN_SECONDS = 10
# A prediction may look at so many bytes before the one to be predicted.
WINDOW = 96
# The last part of the text is for validation; so many places of it are measured on the way, and at the end.
HELD_OUT = 0.1
QUICK, FULL = 400, 1600
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

with open("data/sample_submission.csv") as file:
    COLUMNS = file.readline().strip().split(",")[1:]
    IDS = [line.split(",", 1)[0] for line in file]
VOCABULARY = len(COLUMNS)
TOKENS = torch.zeros(256, dtype=torch.long)
TOKENS[[int(name[1:]) for name in COLUMNS]] = torch.arange(VOCABULARY)


def tokens(data):
    return TOKENS[torch.frombuffer(bytearray(data), dtype=torch.uint8).long()]


def load_text():
    """The text as two tensors of tokens: to train on, and to validate on."""
    with open("data/text.txt", "rb") as file:
        text = tokens(file.read())
    cut = int(len(text) * (1 - HELD_OUT))
    return text[:cut].to(DEVICE), text[cut:].to(DEVICE)


class Clock:
    """The budget: time passes from the first call of `share`."""

    def __init__(self):
        self.started = None

    def share(self):
        """How much of the time is used up, 0 to 1."""
        now = time.monotonic() if DEVICE == "cuda" else time.process_time()
        self.started = now if self.started is None else self.started
        return min(1.0, (now - self.started) / TRAIN_SECONDS)


@torch.no_grad()
def validate(predict, text, places):
    """Bits per byte at places spread evenly over held-out text: each byte predicted from the WINDOW before it."""
    at = torch.linspace(WINDOW, len(text) - 1, places, device=text.device).long()
    windows = text[at[:, None] + torch.arange(-WINDOW, 0, device=text.device)]
    logits = torch.cat([predict(part) for part in windows.split(256)])
    return F.cross_entropy(logits.float(), text[at]).item() / math.log(2)


def report(step, value):
    """A point of the curve: `step` is the share of the time that is used up, in percent."""
    print("metric " + json.dumps({"name": "val_bpb", "step": step, "value": round(value, 4)}), flush=True)


@torch.no_grad()
def finish(predict, text):
    """The last measure on held-out text, and submission.csv: for each context the probabilities of the next byte."""
    value = validate(predict, text, FULL)
    report(100, value)
    print(f"validation bits-per-byte: {value:.4f}")
    with open("data/contexts.txt") as file:
        contexts = torch.stack([tokens(json.loads(line).encode()) for line in file]).to(DEVICE)
    logits = torch.cat([predict(part) for part in contexts.split(256)])
    shares = F.softmax(logits.float(), dim=-1).clamp(min=1e-6).tolist()
    with open("submission.csv", "w") as out:
        out.write(",".join(["id", *COLUMNS]) + "\n")
        for name, row in zip(IDS, shares):
            out.write(",".join([name, *(f"{share:.6f}" for share in row)]) + "\n")
