"""Trains a network on a bank of bank.py.

    python3 train.py --bank BANK.pt --name balanced --minutes 70 --out balanced.pt [--device cuda]

--iterations fixes the schedule by steps instead (repeatable); --minutes by the clock. The last, averaged weights are
kept; every line of the log tells the gain on val.
"""
import argparse
import collections
import copy
import math
import pathlib
import time

import torch

import draw
import model
from bank import DOSES
import objective

BATCH = 8
RATE = 1e-3
WARM_UP = 1000  # iterations; fewer do for weights that are trained already
AVERAGING = 0.999  # of the weights that are validated and kept
LONGEST_GRADIENT = 1.0


def gains(network, bank, thinned=1):
    """For each of DOSES the gains in PSNR, dB, and SSIM of every so many slices of val, [slices, 2]."""
    tables = {}
    with torch.no_grad():
        for dose in DOSES:
            rows = []
            for index in torch.nonzero(bank.dose == dose)[::thinned, 0].tolist():
                low, left, clean = bank.whole(index)
                image = network(low, left).round()
                psnr = (objective.psnr(image, clean) - objective.psnr(low, clean)).item()
                rows.append((psnr, (objective.ssim(image, clean) - objective.ssim(low, clean)).item()))
            tables[dose] = torch.tensor(rows)
    return tables


def validate(network, bank, thinned):
    """Text and mean gain of PSNR, dB: over val slices at each of DOSES, for each volume's slices alike."""
    tables = gains(network, bank, thinned)
    lines = [
        f"1/{1 / dose:.0f} {table[:, 0].mean():+.3f} dB (least {table[:, 0].min():+.2f}) SSIM {table[:, 1].mean():+.4f}"
        for dose, table in tables.items()
    ]
    return "; ".join(lines), mean_gain(tables)


def mean_gain(tables):
    """dB, of every dose alike."""
    return sum(table[:, 0].mean().item() for table in tables.values()) / len(tables)


def rate(iteration, progress, warm_up, part=(0, 1)):
    """Share of the learning rate: linear warm-up, then `part` of half a cosine down to nothing; progress is 0..1."""
    at = part[0] + (part[1] - part[0]) * min(1, progress)
    return min(1, (iteration + 1) / warm_up) * 0.5 * (1 + math.cos(math.pi * at))


class Step:
    """One step of descent on a batch, and of the averaged network after it. On a GPU replayed from one recording."""

    def __init__(self, network, averaged, sample, device, recorded, short, loss_weights):
        self.network, self.averaged, self.short, self.loss_weights = network, averaged, short, loss_weights
        self.on_gpu = device != "cpu"
        self.rate = torch.tensor(RATE, device=device) if self.on_gpu else RATE
        self.optimiser = torch.optim.Adam(network.parameters(), self.rate, **({"capturable": True} if self.on_gpu else {}))
        self.sample = [part.clone() for part in sample]
        self.graph = None
        if self.on_gpu and recorded:
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(5):
                    self._descend()
            torch.cuda.current_stream().wait_stream(side)
            self.graph = torch.cuda.CUDAGraph()
            self.optimiser.zero_grad(set_to_none=True)
            with torch.cuda.graph(self.graph):
                self.loss = self._descend()

    def _descend(self):
        low, left, clean, weight, goal = self.sample
        self.optimiser.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.short):
            output = self.network(low, left)
        loss = objective.loss_of(output, clean, weight, goal, *self.loss_weights)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), LONGEST_GRADIENT)
        self.optimiser.step()
        with torch.no_grad():
            for mean, now in zip(self.averaged.parameters(), self.network.parameters()):
                mean.lerp_(now, 1 - AVERAGING)
        return loss.detach()

    def __call__(self, sample, learning_rate):
        if self.on_gpu:
            self.rate.fill_(learning_rate)
        else:
            self.optimiser.param_groups[0]["lr"] = learning_rate
        for kept, new in zip(self.sample, sample):
            kept.copy_(new)
        if self.graph is None:
            self.loss = self._descend()
        else:
            self.graph.replay()


def taught(teachers, low, left, clean):
    """Mean of what (network, share) make of it, or of its mirror image by chance, HU; clean without networks.

    A network's mistakes on it and on its mirror image differ, and those of two networks do: their mean has fewer.
    """
    if not teachers:
        return clean
    sides = [axis for axis in (2, 3) if torch.rand(()) < 0.5]
    low, left = low.flip(sides).contiguous(), left.flip(sides).contiguous()
    with torch.no_grad():
        return sum(share * network(low, left) for network, share in teachers).flip(sides)


def after(devices, device):
    """What it was trained on, as text: on `devices` before, if any, and then on this one."""
    cores = torch.get_num_threads()
    cpu = "one core of a CPU" if cores == 1 else f"{cores} cores of a CPU"
    now = torch.cuda.get_device_name() if device != "cpu" else cpu
    return now if devices is None else devices if devices.endswith(now) else f"{devices}, then {now}"


def train(architecture, bank_file, out, options, name):
    torch.manual_seed(options.seed)
    bank = torch.load(bank_file, mmap=True) if options.device != "cpu" else torch.load(bank_file)
    pairs = draw.Bank(bank["train"], options.device)
    held_back = draw.Bank(bank["val"], options.device)
    network = model.Denoiser(**architecture).to(options.device)
    before = {"iterations": 0, "minutes": 0}
    if options.start:
        before = torch.load(options.start, map_location=options.device)
        network.load_state_dict(before["weights"])
    averaged = copy.deepcopy(network)
    shares = collections.Counter(options.teachers)
    teachers = [(model.load(teacher)[0].to(options.device), n / shares.total()) for teacher, n in shares.items()]

    def samples():
        low, left, clean, weight = pairs.patches(options.batch)
        return low, left, clean, weight, taught(teachers, low, left, clean)

    step = Step(network, averaged, samples(), options.device, options.recorded, options.bfloat16,
                (options.structure, options.bias))
    began = checked = time.monotonic()
    iteration, progress, score = 0, 0.0, 0.0
    while progress < 1:
        step(samples(), options.rate * RATE * rate(iteration, progress, options.warm_up, options.part))
        iteration += 1
        if iteration == 2 * options.warm_up:
            averaged.load_state_dict(network.state_dict())
        if iteration % 20 == 0 and options.device != "cpu":
            torch.cuda.synchronize()
        now = time.monotonic()
        progress = iteration / options.iterations if options.iterations else (now - began) / (60 * options.minutes)
        if now - checked > options.every or progress >= 1:
            text, score = validate(averaged, held_back, 1 if progress >= 1 else 5)
            spent = (now - began) / 60
            print(f"{name} {iteration} {spent:.1f} min loss {step.loss.item():.4f} val {text}", flush=True)
            saved = {"name": name, "architecture": architecture, "weights": averaged.state_dict(),
                     "iterations": before["iterations"] + iteration, "minutes": round(before["minutes"] + spent, 1),
                     "device": after(before.get("device"), options.device), "valGain": score, "seed": options.seed,
                     "batch": options.batch, "structure": options.structure} | {key: before[key] for key in ("begun",) if key in before}
            torch.save(saved, out.with_suffix(".tmp"))
            out.with_suffix(".tmp").replace(out)
            checked = time.monotonic()


def main():
    known = model.ARCHITECTURES | model.CANDIDATES
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bank", required=True)
    parser.add_argument("--name", choices=known, required=True)
    parser.add_argument("--out", required=True, type=pathlib.Path, help="checkpoint to write")
    parser.add_argument("--start", help="checkpoint whose weights to go on from")
    parser.add_argument("--teachers", nargs="*", default=(), help="checkpoints whose mean is learned, beside the reference")
    parser.add_argument("--rate", type=float, default=1.0, help="factor of the learning rate")
    parser.add_argument("--part", type=float, nargs=2, default=(0, 1), help="of the schedule, for runs in several parts")
    parser.add_argument("--warm-up", type=int, default=WARM_UP, help="iterations until the learning rate is whole")
    parser.add_argument("--structure", type=float, default=objective.STRUCTURE, help="weight of 1 - SSIM in the loss")
    parser.add_argument("--bias", type=float, default=objective.BIAS, help="weight of the bias of tissues in the loss")
    parser.add_argument("--leak", type=float, help="another slope below zero than the network's own, to begin with")
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--eager", dest="recorded", action="store_false", help="do not record the step on a GPU")
    parser.add_argument("--bfloat16", action="store_true", help="convolutions in training on a CPU in bfloat16: twice as fast")
    parser.add_argument("--every", type=float, default=120, help="seconds between looks at val")
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float)
    length.add_argument("--iterations", type=int)
    options = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    architecture = known[options.name] | ({} if options.leak is None else {"leak": options.leak})
    train(architecture, options.bank, options.out, options, options.name)


if __name__ == "__main__":
    main()
