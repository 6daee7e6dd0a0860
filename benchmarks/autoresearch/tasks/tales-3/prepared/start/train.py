# train.py: a small GPT, trained for a fixed time. This is the file to change; program.md says how.
import torch
from torch import nn
from torch.nn import functional as F

from prepare import DEVICE, QUICK, VOCABULARY, Clock, finish, load_text, report, validate

# The model
DEPTH = 2
WIDTH = 64
HEADS = 2
CONTEXT = 32
DROPOUT = 0.0
# The optimiser
BATCH = 16
LEARNING_RATE = 0.0003
SCHEDULE = "constant"
WARMUP = 0.1
WEIGHT_DECAY = 0.1
BETA2 = 0.999
CLIP = 1.0
SEED = 1


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.out = nn.Linear(WIDTH, WIDTH, bias=False)
        self.norm2 = nn.LayerNorm(WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, x):
        n, length, _ = x.shape
        q, k, v = (
            part.view(n, length, HEADS, WIDTH // HEADS).transpose(1, 2)
            for part in self.qkv(self.norm1(x)).split(WIDTH, dim=2)
        )
        scores = q @ k.transpose(2, 3) * (WIDTH // HEADS) ** -0.5
        future = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
        mixed = scores.masked_fill(future, float("-inf")).softmax(dim=3) @ v
        x = x + self.drop(self.out(mixed.transpose(1, 2).reshape(n, length, WIDTH)))
        return x + self.drop(self.mlp(self.norm2(x)))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.byte = nn.Embedding(VOCABULARY, WIDTH)
        self.place = nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(DEPTH)))
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, VOCABULARY, bias=False)
        for part in self.modules():
            if isinstance(part, (nn.Linear, nn.Embedding)):
                nn.init.normal_(part.weight, std=0.02)

    def forward(self, tokens):
        x = self.byte(tokens) + self.place(torch.arange(tokens.shape[1], device=tokens.device))
        return self.head(self.norm(self.blocks(x)))


def rate(share):
    """The learning rate at a share of the time."""
    if share < WARMUP:
        return LEARNING_RATE * max(share / WARMUP, 0.01)
    left = 1 - (share - WARMUP) / max(1 - WARMUP, 0.01)
    return LEARNING_RATE * {"constant": 1, "linear": left, "square": left**2}[SCHEDULE]


def main():
    assert WIDTH % HEADS == 0, "WIDTH must be a multiple of HEADS"
    torch.manual_seed(SEED)
    text, held_out = load_text()
    model = GPT().to(DEVICE)
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=LEARNING_RATE, betas=(0.9, BETA2))

    def predict(windows):
        model.eval()
        return model(windows[:, -CONTEXT:])[:, -1]

    clock = Clock()
    steps, shown = 0, 0
    while (share := clock.share()) < 1:
        model.train()
        for group in optimiser.param_groups:
            group["lr"] = rate(share)
        at = torch.randint(len(text) - CONTEXT - 1, (BATCH, 1), device=DEVICE)
        part = text[at + torch.arange(CONTEXT + 1, device=DEVICE)]
        loss = F.cross_entropy(model(part[:, :-1]).flatten(0, 1), part[:, 1:].flatten())
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimiser.step()
        steps += 1
        if int(10 * share) > shown:
            shown = int(10 * share)
            report(10 * shown, validate(predict, held_out, QUICK))
    print(f"{steps} steps, {sum(p.numel() for p in model.parameters())} parameters, on {DEVICE}")
    finish(predict, held_out)


main()
