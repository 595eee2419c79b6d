"""Opening a full-size StyleGAN2 of 256 px in every format: seconds, and memory beyond what the program takes before."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

import latentreel as lr
from latentreel.checkpoints.biggan_pytorch import export_generator as export_biggan
from latentreel.checkpoints.bundle import save_image_generator
from latentreel.checkpoints.stylegan2_state_dict import export_generator
from latentreel.image_generators.stylegan2.discriminator import StyleGAN2Discriminator
from measure import write_result
from network_pickles import write_network_pickle

PROBE = """
import json, sys, time
import latentreel as lr
peak = lambda: int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) / 1024  # maxrss would count the parent's
lr.load_image_generator("faces")  # whatever is imported on first use
before, begun = peak(), time.perf_counter()
generator = lr.load_image_generator(sys.argv[1])
print(json.dumps({"seconds": time.perf_counter() - begun, "memory_mb": peak() - before}))
"""


def main() -> None:
    """Writes the files, opens each in a process of its own."""
    generator = lr.build_image_generator("stylegan2", resolution=256)
    discriminator = StyleGAN2Discriminator(generator.config)
    result: dict[str, object] = {"parameters": sum(p.numel() for p in generator.parameters())}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        content = export_generator(generator)
        torch.save(content, folder / "g_ema.pt")
        torch.save(content, folder / "g_ema_legacy.pt", _use_new_zipfile_serialization=False)
        write_network_pickle(folder / "network.pkl", generator, discriminator)
        save_image_generator(generator, folder / "bundle", origin="a benchmark")
        biggan = lr.build_image_generator("biggan", resolution=128)
        torch.save(export_biggan(biggan), folder / "biggan.pth")
        network_mb = sum(p.numel() for p in generator.state_dict().values()) * 4 / 2**20
        biggan_mb = sum(p.numel() for p in biggan.state_dict().values()) * 4 / 2**20
        for path in sorted(folder.iterdir()):
            files = [path] if path.is_file() else list(path.iterdir())
            opened = subprocess.run([sys.executable, "-c", PROBE, path], capture_output=True, text=True, check=True)
            figures = json.loads(opened.stdout)
            weights_mb = biggan_mb if path.stem == "biggan" else network_mb
            figures |= {"file_mb": sum(f.stat().st_size for f in files) / 2**20, "weights_mb": weights_mb}
            figures["memory_per_weights"] = figures["memory_mb"] / weights_mb
            result[path.name] = {key: round(value, 3) for key, value in figures.items()}
    write_result("loading", result)


if __name__ == "__main__":
    main()
