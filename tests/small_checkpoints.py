"""Small checkpoints: the real classes with seeded random weights, written as the real repositories lie on disk."""

import json
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

SENTENCES = [
    "What is in this picture? A red car stands on the road beside a house.",
    "Which version does the system have? The phone shows version seventeen.",
    "这张图片里有什么？一只黑猫坐在绿色的田野上。",
    "今天天气怎么样？今天天气晴朗，适合出门。",
]


def byte_level_tokenizer(special: list[str], suffix: str = "") -> Tokenizer:
    """Train a byte-level BPE tokenizer (GPT-2's kind) of at most 400 tokens, `suffix` at the end of each word."""
    ends = {"end_of_word_suffix": suffix} if suffix else {}
    tokenizer = Tokenizer(models.BPE(**ends))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
        **ends,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return tokenizer


def seeded(kind: Any, config: Any) -> Any:
    """Build a model with random weights, the same every time."""
    torch.manual_seed(0)
    return kind(config).eval()


def llama_config(tokens: int, **changes: Any) -> dict[str, Any]:
    """Return a small Llama's settings."""
    return {
        "model_type": "llama",
        "vocab_size": tokens,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "initializer_range": 0.3,
        **changes,
    }


LLAVA_TEMPLATE = (
    "{% for message in messages %}{% if message['role'] != 'system' %}{{ message['role'].upper() + ': ' }}{% endif %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}{{ '<image>\n' }}{% endif %}{% endfor %}"
    "{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] + ' ' }}{% endif %}{% endfor %}"
    "{% if message['role'] == 'assistant' %}{{ '</s>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)


def write_llava(folder: Path) -> Path:
    """Write a LLaVA: CLIP tower on 32×32 pixels in patches of 8 (16 image tokens), Llama of 2 layers."""
    from transformers import (
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
        PreTrainedTokenizerFast,
    )
    from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=byte_level_tokenizer(["<unk>", "<s>", "</s>", "<pad>", "<image>"]),
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        additional_special_tokens=["<image>"],
    )
    processor = LlavaProcessor(
        image_processor=LlavaImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}),
        tokenizer=tokenizer,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=LLAVA_TEMPLATE,
    )
    config = LlavaConfig(
        vision_config={**clip_vision_config(), "model_type": "clip_vision_model"},
        text_config=llama_config(len(tokenizer), bos_token_id=1, eos_token_id=2, pad_token_id=3),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
    )
    model = seeded(LlavaForConditionalGeneration, config)
    model.generation_config.update(bos_token_id=1, eos_token_id=2, pad_token_id=3)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


QWEN_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def write_qwen2_vl(folder: Path) -> Path:
    """Write a Qwen2-VL as the hub has it: preprocessor_config.json beside chat_template.json, pictures of any size."""
    from transformers import Qwen2Tokenizer, Qwen2VLConfig, Qwen2VLForConditionalGeneration
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>"]
    special += ["<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"]
    tokenizer = Qwen2Tokenizer(
        **vocabulary(byte_level_tokenizer([])),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=special,
    )
    number = tokenizer.convert_tokens_to_ids
    config = Qwen2VLConfig(
        text_config={
            **llama_config(len(tokenizer)),
            "model_type": "qwen2_vl_text",
            "rope_parameters": {"rope_type": "default", "type": "mrope", "mrope_section": [2, 3, 3], "rope_theta": 1e6},
            "bos_token_id": number("<|endoftext|>"),
            "eos_token_id": number("<|im_end|>"),
        },
        vision_config={"depth": 2, "embed_dim": 32, "hidden_size": 64, "num_heads": 2, "mlp_ratio": 2, "patch_size": 8},
        image_token_id=number("<|image_pad|>"),
        video_token_id=number("<|video_pad|>"),
        vision_start_token_id=number("<|vision_start|>"),
        vision_end_token_id=number("<|vision_end|>"),
    )
    model = seeded(Qwen2VLForConditionalGeneration, config)
    model.generation_config.update(eos_token_id=number("<|im_end|>"), pad_token_id=number("<|endoftext|>"))
    # The real one samples: its settings must not get in the way of a request's own.
    model.generation_config.update(do_sample=True, temperature=0.01, top_p=0.001, top_k=1)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    pictures = Qwen2VLImageProcessorPil(
        patch_size=8, merge_size=2, size={"shortest_edge": 16 * 16, "longest_edge": 64 * 64}
    )
    pictures._processor_class = "Qwen2VLProcessor"
    pictures.save_pretrained(folder)
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": QWEN_TEMPLATE}))
    return folder


SMOLVLM_TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}"
    "{% if message['content'][0]['type'] == 'image' %}{{ ':' }}{% else %}{{ ': ' }}{% endif %}"
    "{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}"
    "{% elif part['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)


def write_smolvlm(folder: Path) -> Path:
    """Write a SmolVLM (of Idefics3 classes, as the first one): SigLIP tower on 32×32 tiles, 4 tokens a tile."""
    from transformers import (
        Idefics3Config,
        Idefics3ForConditionalGeneration,
        Idefics3Processor,
        PreTrainedTokenizerFast,
    )
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

    special = ["<|endoftext|>", "<|im_start|>", "<end_of_utterance>", "<fake_token_around_image>", "<image>"]
    special += ["<global-img>", *(f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5))]
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=byte_level_tokenizer(special),
        bos_token="<|im_start|>",
        eos_token="<end_of_utterance>",
        pad_token="<|im_start|>",
        unk_token="<|endoftext|>",
        additional_special_tokens=special,
    )
    processor = Idefics3Processor(
        image_processor=Idefics3ImageProcessorPil(size={"longest_edge": 64}, max_image_size={"longest_edge": 32}),
        tokenizer=tokenizer,
        image_seq_len=4,
        chat_template=SMOLVLM_TEMPLATE,
    )
    config = Idefics3Config(
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 32,
            "patch_size": 8,
        },
        text_config=llama_config(len(tokenizer), pad_token_id=1),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=1,
    )
    model = seeded(Idefics3ForConditionalGeneration, config)
    model.generation_config.update(eos_token_id=2, pad_token_id=1)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def write_smolvlm2(folder: Path) -> Path:
    """Write a SmolVLM 2: as the first, with settings for videos (read where torchvision is) and an older layout."""
    from transformers import SmolVLMConfig, SmolVLMForConditionalGeneration

    write_smolvlm(folder)
    settings = json.loads((folder / "config.json").read_text())
    settings["vision_config"].pop("model_type")
    config = SmolVLMConfig(
        **{key: value for key, value in settings.items() if key not in ("model_type", "architectures")}
    )
    pictures = json.loads((folder / "processor_config.json").read_text())["image_processor"]
    for file in folder.iterdir():
        if "tokenizer" not in file.name:
            file.unlink()
    model = seeded(SmolVLMForConditionalGeneration, config)
    model.generation_config.update(eos_token_id=2, pad_token_id=1)
    model.save_pretrained(folder)
    pictures |= {"image_processor_type": "SmolVLMImageProcessor", "processor_class": "SmolVLMProcessor"}
    videos = {"video_processor_type": "SmolVLMVideoProcessor", "num_frames": 4, "fps": 1}
    own = {"image_seq_len": 4, "processor_class": "SmolVLMProcessor", "video_processor": videos}
    (folder / "preprocessor_config.json").write_text(json.dumps(pictures))
    (folder / "processor_config.json").write_text(json.dumps(own))
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": SMOLVLM_TEMPLATE}))
    return folder


LLAMA_TEMPLATE = (
    "{{ '<|begin_of_text|>' }}{% for message in messages %}"
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)


def write_llama(folder: Path) -> Path:
    """Write a Llama 3 for conversation, its window 256 tokens."""
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    special = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=byte_level_tokenizer(special),
        bos_token="<|begin_of_text|>",
        eos_token="<|eot_id|>",
        chat_template=LLAMA_TEMPLATE,
    )
    config = llama_config(len(tokenizer), max_position_embeddings=256, bos_token_id=0, eos_token_id=[1, 4])
    model = seeded(LlamaForCausalLM, LlamaConfig(**config))
    model.generation_config.update(do_sample=True, temperature=0.6, top_p=0.9)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def vocabulary(tokenizer: Tokenizer) -> dict[str, Any]:
    """Return a BPE tokenizer's vocabulary and merges, as the classes of Transformers take them."""
    model = json.loads(tokenizer.to_str())["model"]
    return {"vocab": model["vocab"], "merges": [tuple(merge) for merge in model["merges"]]}


def clip_vision_config() -> dict[str, Any]:
    """Return a small CLIP picture tower's settings."""
    return {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 8,
        "projection_dim": 16,
    }


def clip_tokenizer() -> Any:
    """Return a CLIP tokenizer (lower case, words end in </w>), cut at 77 tokens."""
    from transformers import CLIPTokenizer

    words = vocabulary(byte_level_tokenizer([], suffix="</w>"))
    ends = [letter + "</w>" for letter in sorted(pre_tokenizers.ByteLevel.alphabet())]
    for token in (*ends, "<|startoftext|>", "<|endoftext|>"):
        words["vocab"].setdefault(token, len(words["vocab"]))
    return CLIPTokenizer(**words, model_max_length=77)


def clip_text_config(tokenizer: Any) -> dict[str, Any]:
    """Return a small CLIP text tower's settings."""
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": 77,
        "projection_dim": 16,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


def write_clip(folder: Path) -> Path:
    """Write a CLIP: 16 dimensions, pictures of 32×32 pixels, texts of 77 tokens."""
    from transformers import CLIPConfig, CLIPModel, CLIPProcessor

    tokenizer = clip_tokenizer()
    config = CLIPConfig(text_config=clip_text_config(tokenizer), vision_config=clip_vision_config(), projection_dim=16)
    seeded(CLIPModel, config).save_pretrained(folder)
    CLIPProcessor(clip_image_processor(), tokenizer).save_pretrained(folder)
    return folder


def clip_image_processor(edge: int = 32) -> Any:
    """Return CLIP's image processor for pictures of edge×edge pixels."""
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    return CLIPImageProcessorPil(size={"shortest_edge": edge}, crop_size={"height": edge, "width": edge})


def write_siglip(folder: Path) -> Path:
    """Write a SigLIP: 32 dimensions, pictures of 32×32 pixels, texts of 16 tokens by SentencePiece."""
    import sentencepiece
    from transformers import SiglipConfig, SiglipModel, SiglipProcessor, SiglipTokenizer
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    folder.mkdir(parents=True, exist_ok=True)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 4),
        model_prefix=str(folder / "spiece"),
        vocab_size=150,
        hard_vocab_limit=False,
        byte_fallback=False,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        minloglevel=2,
    )
    (folder / "spiece.vocab").unlink()
    tokenizer = SiglipTokenizer(vocab_file=str(folder / "spiece.model"), model_max_length=16)
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = SiglipConfig(
        text_config={**tower, "vocab_size": len(tokenizer), "max_position_embeddings": 16, "projection_size": 32}
        | {"bos_token_id": 1, "eos_token_id": 1, "pad_token_id": 1},
        vision_config={**tower, "image_size": 32, "patch_size": 8},
    )
    seeded(SiglipModel, config).save_pretrained(folder)
    pictures = SiglipImageProcessorPil(size={"height": 32, "width": 32})
    SiglipProcessor(pictures, tokenizer).save_pretrained(folder)
    return folder


def _vae() -> Any:
    from diffusers import AutoencoderKL

    torch.manual_seed(0)
    return AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=4,
        sample_size=64,
    )


def _unet(**changes: Any) -> Any:
    from diffusers import UNet2DConditionModel

    torch.manual_seed(0)
    settings = {
        "sample_size": 8,
        "block_out_channels": (16, 32),
        "layers_per_block": 1,
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "cross_attention_dim": 32,
        "attention_head_dim": 4,
        "norm_num_groups": 8,
    }
    return UNet2DConditionModel(**{**settings, **changes})


def write_stable_diffusion(folder: Path) -> Path:
    """Write a Stable Diffusion 1.5 with its safety checker: pictures of 64×64 pixels by default."""
    from diffusers import PNDMScheduler, StableDiffusionPipeline
    from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
    from transformers import CLIPConfig, CLIPTextConfig, CLIPTextModel

    tokenizer = clip_tokenizer()
    checker = seeded(
        StableDiffusionSafetyChecker,
        CLIPConfig(text_config=clip_text_config(tokenizer), vision_config=clip_vision_config(), projection_dim=16),
    )
    # No picture is as close to a concept as this demands, so that none is withheld.
    checker.concept_embeds_weights.data.fill_(2.0)
    checker.special_care_embeds_weights.data.fill_(2.0)
    StableDiffusionPipeline(
        vae=_vae(),
        text_encoder=seeded(CLIPTextModel, CLIPTextConfig(**clip_text_config(tokenizer))),
        tokenizer=tokenizer,
        unet=_unet(),
        scheduler=PNDMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, steps_offset=1
        ),
        safety_checker=checker,
        feature_extractor=clip_image_processor(),
    ).save_pretrained(folder)
    return folder


def write_sdxl(folder: Path) -> Path:
    """Write an SDXL: two text encoders, no safety checker."""
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    tokenizer = clip_tokenizer()
    config = CLIPTextConfig(**{**clip_text_config(tokenizer), "hidden_act": "gelu", "projection_dim": 32})
    StableDiffusionXLPipeline(
        vae=_vae(),
        text_encoder=seeded(CLIPTextModel, config),
        text_encoder_2=seeded(CLIPTextModelWithProjection, config),
        tokenizer=tokenizer,
        tokenizer_2=clip_tokenizer(),
        unet=_unet(
            cross_attention_dim=64,
            use_linear_projection=True,
            transformer_layers_per_block=(1, 1),
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=6 * 8 + 32,
        ),
        scheduler=EulerDiscreteScheduler(beta_schedule="scaled_linear"),
    ).save_pretrained(folder)
    return folder


def write_lcm(folder: Path) -> Path:
    """Write a latent consistency model: guidance is told to the UNet; it takes no negative prompt."""
    from diffusers import LatentConsistencyModelPipeline, LCMScheduler
    from transformers import CLIPTextConfig, CLIPTextModel

    tokenizer = clip_tokenizer()
    LatentConsistencyModelPipeline(
        vae=_vae(),
        text_encoder=seeded(CLIPTextModel, CLIPTextConfig(**clip_text_config(tokenizer))),
        tokenizer=tokenizer,
        unet=_unet(time_cond_proj_dim=16),
        scheduler=LCMScheduler(beta_schedule="scaled_linear"),
        safety_checker=None,
        feature_extractor=clip_image_processor(),
        requires_safety_checker=False,
    ).save_pretrained(folder)
    return folder


def write_swin2sr(folder: Path, **changes: Any) -> Path:
    """Write a light Swin2SR that enlarges twice, its image processor's settings as on the hub."""
    from transformers import Swin2SRConfig, Swin2SRForImageSuperResolution

    settings = {
        "embed_dim": 16,
        "depths": [2],
        "num_heads": [2],
        "image_size": 32,
        "upscale": 2,
        "upsampler": "pixelshuffledirect",
        "initializer_range": 0.1,
    }
    seeded(Swin2SRForImageSuperResolution, Swin2SRConfig(**{**settings, **changes})).save_pretrained(folder)
    processor = {"do_pad": True, "do_rescale": True, "image_processor_type": "Swin2SRImageProcessor"}
    processor |= {"pad_size": 8, "rescale_factor": 1 / 255}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return folder


def write_swin2sr_x4(folder: Path) -> Path:
    """Write a light Swin2SR that enlarges four times, as those for pictures of the real world."""
    return write_swin2sr(folder, upscale=4, upsampler="nearest+conv")
