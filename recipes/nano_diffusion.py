"""nano-diffusion: draws pictures of the small world from prompts in Chinese and English.

    python recipes/nano_diffusion.py                train (resumes), then write src/kuamo/weights/nano-diffusion
    python recipes/nano_diffusion.py --autoencoder-only

Latent diffusion (Rombach et al. 2022) in Stable Diffusion's own parts. First the autoencoder, 64 × 64 pixels to 16 × 16
latents of four channels: L1 on pixels and on their differences, which keeps edges, and a pull to the normal
distribution. Then, on latents encoded once, the denoiser and the text encoder together: this starts as nano-clip's,
whose words it knows, and learns to keep colour, thing and place together, which nano-clip's own loss asks of its last
token only. The noise follows the cosine schedule (Nichol & Dhariwal 2021): with Stable Diffusion's, 256 latents would
still tell the time of day at the last step. The denoiser predicts v (Salimans & Ho 2022), weighted by min-SNR (Hang et
al. 2023) where there is little noise; a tenth of the prompts is dropped for guidance; what is written is the moving
average of the weights. Run recipes/nano_clip.py before.

Attention is at 8 × 8 only, and written out: on a CPU in bfloat16 that is a quarter quicker than the fused one. On two
cores the judge takes 7 minutes, the autoencoder 30, the denoiser 140. To train the autoencoder again, delete
runs/nano-diffusion: the denoiser learns its latents.
"""

import argparse
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
import PIL.Image
import torch
from diffusers import (
    AutoencoderKL,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from diffusers.models.attention_processor import AttnProcessor
from judge import Judge, shares, trained
from nano_clip import FOLDER as CLIP
from nano_clip import HELD_OUT, SIDE, TRAIN
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import l1_loss, mse_loss
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm
from training import BEGIN, END, RUNS, Task, finish, pictures, train
from transformers import AutoTokenizer, CLIPTextModel

from kuamo.world.language import caption
from kuamo.world.phrases import LANGUAGES
from kuamo.world.prompt import Prompt, prompt
from kuamo.world.scene import Split, make_scene

FOLDER = Path("src/kuamo/weights/nano-diffusion")
LATENTS = SIDE // 4
KL, EDGES = 1e-3, 0.5
DROPPED, CAPTIONS = 0.1, 0.4
MOST_SNR = 5.0
AVERAGED = 0.999
GUIDANCE = 4.0
SHOWN = 48


def new_autoencoder() -> AutoencoderKL:
    """Return an autoencoder of 0.9 M parameters with random weights."""
    torch.manual_seed(0)
    return AutoencoderKL(
        sample_size=SIDE, latent_channels=4, block_out_channels=(32, 64, 64), layers_per_block=1, norm_num_groups=8,
        down_block_types=("DownEncoderBlock2D",) * 3, up_block_types=("UpDecoderBlock2D",) * 3,
        mid_block_add_attention=False,
    )  # fmt: skip


def scheduler() -> DPMSolverMultistepScheduler:
    """Return DPM++ 2M; the lowest log-SNR that the cosine schedule asks for keeps its last step finite."""
    made = DPMSolverMultistepScheduler(
        beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction", timestep_spacing="trailing",
        lambda_min_clipped=-5.1, steps_offset=1,
    )  # fmt: skip
    made.register_to_config(clip_sample=False)  # for those who make a DDIM of it
    return made


class Drawer(nn.Module):
    """The text encoder, from nano-clip, and a denoiser of 4.8 M parameters with random weights."""

    def __init__(self) -> None:
        super().__init__()
        self.text_encoder = CLIPTextModel.from_pretrained(CLIP, dtype=torch.float32, attn_implementation="eager")
        torch.manual_seed(0)
        self.unet = UNet2DConditionModel(
            sample_size=LATENTS, block_out_channels=(96, 128), layers_per_block=1, norm_num_groups=16,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), mid_block_type="UNetMidBlock2DCrossAttn",
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), use_linear_projection=True,
            attention_head_dim=4,  # diffusers means the number of heads
            cross_attention_dim=self.text_encoder.config.hidden_size,
        )  # fmt: skip
        self.unet.set_attn_processor(AttnProcessor())

    def forward(self, noisy: Tensor, times: Tensor, tokens: Tensor) -> Tensor:
        """Return v (n, 4, 16, 16) for noisy latents, their times (n) and tokens (n, 77)."""
        return self.unet(noisy, times, self.text_encoder(tokens)[0]).sample


class Coding(Task):
    """The loss of a step of the autoencoder: a batch of pictures there and back."""

    def __init__(self, judge: Judge, batch: int = 32) -> None:
        super().__init__()
        self.autoencoder, self.see = new_autoencoder(), judge.see
        self.batch, self.pictures = batch, pictures("train", TRAIN, SIDE)

    def forward(self, step: int) -> Tensor:
        """Return how far pixels and their differences are off, and the latents from the normal distribution."""
        indices = sorted(Random(f"autoencoder/{step}").sample(range(TRAIN), self.batch))
        pixels = pixels_of(self.pictures[indices]).to(self.autoencoder.device)
        with torch.autocast(pixels.device.type, torch.bfloat16):
            latents = self.autoencoder.encode(pixels).latent_dist
            again = self.autoencoder.decode(latents.sample(torch.Generator().manual_seed(step))).sample.float()
        edges = sum(l1_loss(again.diff(dim=axis), pixels.diff(dim=axis)) for axis in (2, 3))
        kl = latents.kl().float().mean() / latents.mean[0].numel()
        return l1_loss(again, pixels) + EDGES * edges + KL * kl

    @torch.inference_mode()
    def scores(self) -> dict[str, float]:
        """Return the signal-to-noise ratio of held-out pictures in dB / 100, and what the judge still sees in them."""
        truth = pictures("held_out", HELD_OUT, SIDE)[:500]
        again = []
        for batch in np.array_split(truth, 10):
            pixels = pixels_of(batch).to(self.autoencoder.device)
            with torch.autocast(pixels.device.type, torch.bfloat16):
                again.append(bytes_of(self.autoencoder(pixels, sample_posterior=False).sample))
        drawn = np.concatenate(again)
        error = np.square((truth.astype(np.float32) - drawn) / 255).mean((1, 2, 3))
        asked = [Prompt("", make_scene(index, "held_out"), True) for index in range(len(truth))]
        return {"psnr / 100 dB": float(-10 * np.log10(error).mean() / 100), **shares(asked, self.see(drawn))}


def pixels_of(batch: NDArray[np.uint8]) -> Tensor:
    """Return pictures (n, side, side, 3) as the autoencoder takes them: (n, 3, side, side) in -1 … 1."""
    return torch.from_numpy(np.ascontiguousarray(batch)).permute(0, 3, 1, 2).float() / 127.5 - 1


def bytes_of(pixels: Tensor) -> NDArray[np.uint8]:
    """Return the reverse of `pixels_of`."""
    return ((pixels.float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()


@torch.inference_mode()
def latents_of(autoencoder: AutoencoderKL, file: Path) -> NDArray[np.float16]:
    """Return the latents of all training pictures (n, 4, 16, 16), encoded once; set the scale that makes them 1."""
    if not file.exists():
        batches = np.array_split(pictures("train", TRAIN, SIDE), max(1, TRAIN // 250))
        encoded = []
        for batch in tqdm(batches, desc="latents", mininterval=10):
            with torch.autocast(autoencoder.device.type, torch.bfloat16):
                latents = autoencoder.encode(pixels_of(batch).to(autoencoder.device)).latent_dist.mean
            encoded.append(latents.half().cpu().numpy())
        fresh = file.with_suffix(".new.npy")
        np.save(fresh, np.concatenate(encoded))
        fresh.rename(file)
    latents = np.load(file, mmap_mode="r")
    autoencoder.register_to_config(scaling_factor=round(1 / float(latents[::10].astype(np.float32).std()), 5))
    return latents


class Denoising(Task):
    """The loss of a step of the denoiser: a batch of latents, each with its prompt or caption."""

    def __init__(self, coding: Coding, latents: Path, folder: Path, batch: int = 64) -> None:
        super().__init__()
        self.autoencoder, self.see = coding.autoencoder.eval().requires_grad_(False), coding.see
        self.latents = latents_of(self.autoencoder, latents)
        self.tokenizer = AutoTokenizer.from_pretrained(CLIP)
        self.drawer, self.folder, self.batch = Drawer(), folder, batch
        self.average = AveragedModel(self.drawer, multi_avg_fn=_average).requires_grad_(False)
        self.noise = DDPMScheduler.from_config(scheduler().config)

    def forward(self, step: int) -> Tensor:
        """Return the squared error of v, weighted by min-SNR; the times of a batch are spread evenly."""
        self.average.update_parameters(self.drawer)
        random, generator = Random(f"denoiser/{step}"), torch.Generator().manual_seed(step)
        indices = sorted(random.sample(range(TRAIN), self.batch))
        tokens = self.tokens([_said(index, random) for index in indices])
        clean = torch.from_numpy(self.latents[indices]).float() * self.autoencoder.config.scaling_factor
        noise = torch.randn(clean.shape, generator=generator)
        spread = torch.randperm(self.batch, generator=generator) + torch.rand(1, generator=generator)
        times = (spread / self.batch * self.noise.config.num_train_timesteps).long()
        noisy, truth = self.noise.add_noise(clean, noise, times), self.noise.get_velocity(clean, noise, times)
        device = self.autoencoder.device
        with torch.autocast(device.type, torch.bfloat16):
            predicted = self.drawer(noisy.to(device), times.to(device), tokens.to(device)).float()
        share = self.noise.alphas_cumprod[times]
        weight = ((1 + MOST_SNR) * (1 - share)).clamp(max=1).to(device)  # 1 - share is 1 / (1 + SNR)
        return (mse_loss(predicted, truth.to(device), reduction="none").mean((1, 2, 3)) * weight).mean()

    def tokens(self, texts: list[str]) -> Tensor:
        """Return tokens (n, 77) as the pipeline makes them."""
        return self.tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt").input_ids

    def pipeline(self) -> StableDiffusionPipeline:
        """Return the pipeline of the averaged weights, in evaluation mode."""
        drawer = self.average.module.eval()
        made = StableDiffusionPipeline(
            vae=self.autoencoder, text_encoder=drawer.text_encoder, tokenizer=self.tokenizer, unet=drawer.unet,
            scheduler=scheduler(), safety_checker=None, feature_extractor=None, requires_safety_checker=False,
        )  # fmt: skip
        made.set_progress_bar_config(disable=True)
        return made

    def scores(self) -> dict[str, float]:
        """Draw held-out prompts, save them as sheet-STEP.png, and return what the judge sees of what they state."""
        asked = prompts(SHOWN)
        drawn = drawings(self.pipeline(), asked)
        save_sheet(drawn, self.folder / f"sheet-{int(self.average.n_averaged)}.png")
        (self.folder / "sheet.txt").write_text("\n".join(one.text for one in asked) + "\n", encoding="utf-8")
        return shares(asked, self.see(drawn))


def _average(averages: list[Tensor], weights: list[Tensor], count: Tensor) -> None:
    """A moving average that forgets the first, random weights soon."""
    torch._foreach_lerp_(averages, weights, max(1 - AVERAGED, 9 / (10 + float(count))))


def _said(index: int, random: Random) -> str:
    """What the drawer is told of a training picture: nothing, the caption, or a prompt."""
    scene, language = make_scene(index), random.choice(LANGUAGES)
    if random.random() < DROPPED:
        return ""
    full = random.random() < CAPTIONS
    return caption(scene, language, random) if full else prompt(scene, language, random).text


def prompts(count: int, split: Split = "held_out") -> list[Prompt]:
    """Return prompts of a split, Chinese and English in turn."""
    return [prompt(make_scene(index, split), LANGUAGES[index % 2], Random(index)) for index in range(count)]


def drawings(pipeline: StableDiffusionPipeline, asked: list[Prompt], steps: int = 20) -> NDArray[np.uint8]:
    """Return a picture (side, side, 3) of each prompt; the n-th has seed n."""
    drawn = []
    numbered = enumerate(asked)
    while batch := list(islice(numbered, SHOWN)):
        with torch.autocast(pipeline.device.type, torch.bfloat16):
            output = pipeline(
                [one.text for _, one in batch], num_inference_steps=steps, guidance_scale=GUIDANCE, output_type="np",
                generator=[torch.Generator().manual_seed(seed) for seed, _ in batch],
            )  # fmt: skip
        drawn.append((output.images * 255).round().astype(np.uint8))
    return np.concatenate(drawn)


def save_sheet(drawn: NDArray[np.uint8], file: Path, columns: int = 8) -> None:
    """Save pictures side by side."""
    rows = [np.concatenate(drawn[start : start + columns], 1) for start in range(0, len(drawn), columns)]
    PIL.Image.fromarray(np.concatenate(rows)).save(file)


def write(task: Denoising, folder: Path) -> None:
    """Write the pipeline in half precision, as on the hub, with the last contact sheet."""
    pipeline = task.pipeline()
    drawn = drawings(pipeline, prompts(SHOWN))
    parts = (pipeline.vae, pipeline.text_encoder, pipeline.unet)
    for part in parts:
        part.half()
    pipeline.save_pretrained(folder)
    save_sheet(drawn, folder / "sheet.png")
    finish(folder, task.folder, card(sum(part.num_parameters() for part in parts)))


def card(parameters: int) -> str:
    """Return the model card, its scores still to be filled in."""
    return f"""---
license: apache-2.0
language: [en, zh]
pipeline_tag: text-to-image
library_name: diffusers
---
# nano-diffusion

A Stable Diffusion of {parameters:,} parameters: it draws pictures of 64 × 64 pixels from prompts in English and
Chinese. It is trained from scratch on the small world (`kuamo.world`) alone: its eighteen things, ten colours, five
grounds, four times of day, three kinds of weather and five styles. It knows nothing else; what a prompt says beyond
them is not drawn. Every picture it makes is of that world, and there is no safety checker.

![Held-out prompts](sheet.png)

## Scores

500 prompts of scenes that training never saw, 20 steps of DPM++: the share of what they state that is in the pictures,
as seen by a classifier that learned from rendered pictures alone.

{BEGIN}
{END}

## Training

`recipes/nano_diffusion.py`: an autoencoder, 64 × 64 pixels to 16 × 16 × 4, then the denoiser (v, cosine schedule,
min-SNR) with the text encoder of nano-clip, on captions and prompts in both languages.

![Loss and scores over the steps](curves.png)

## Use

```bash
kuamo draw "雪地里的橘猫，水彩" --width 64 --height 64
```
"""


def main() -> None:
    """Train the judge, the autoencoder and the denoiser, what is left of each; write the checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--autoencoder-steps", type=int, default=4_000)
    parser.add_argument("--steps", type=int, default=15_000, help="of the denoiser")
    parser.add_argument("--autoencoder-only", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    coding, folder = Coding(trained()), RUNS / "nano-diffusion"
    train(folder / "autoencoder", coding, steps=options.autoencoder_steps, rate=2e-3, every=250, scored=500)
    if options.autoencoder_only:
        return
    task = Denoising(coding, folder / "autoencoder" / f"latents-{options.autoencoder_steps}.npy", folder / "denoiser")
    train(task.folder, task, steps=options.steps, rate=1e-3, warm_up=500, every=250, scored=500)
    write(task, FOLDER)


if __name__ == "__main__":
    main()
