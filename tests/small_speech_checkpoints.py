"""Small speech checkpoints: real classes, seeded random weights, written as the real repositories lie on disk."""

import json
from pathlib import Path
from typing import Any

import torch
from tokenizers import pre_tokenizers

WHISPER_LANGUAGES = ("en", "zh", "de")
ENGLISH = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ETAONIHSRDLUMWCFGYPBVK'XJQZ"]
CHINESE = ["<pad>", "<s>", "</s>", "<unk>", "|", *"一二三四五六七八九十百千万零点年月日今天气晴朗我们去公园吧你好"]


def seeded(kind: Any, config: Any) -> Any:
    """Build a model with random weights, the same every time."""
    torch.manual_seed(0)
    return kind(config).eval()


def write_whisper(folder: Path, seconds: int = 30, english_only: bool = False) -> Path:
    """Write a Whisper of one layer: byte-level tokens, three languages, windows of `seconds`, at most 32 tokens."""
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperTokenizer,
    )

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    languages = () if english_only else WHISPER_LANGUAGES
    special = ["<|startoftranscript|>", *(f"<|{code}|>" for code in languages), "<|translate|>", "<|transcribe|>"]
    special += ["<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    tokenizer = WhisperTokenizer(vocab={letter: place for place, letter in enumerate(letters)}, merges=[])
    tokenizer.add_special_tokens({"additional_special_tokens": special})
    tokenizer.add_tokens([f"<|{position * 0.02:.2f}|>" for position in range(50 * seconds + 1)])
    ids = dict(zip(special, tokenizer.convert_tokens_to_ids(special), strict=True))
    config = WhisperConfig(
        vocab_size=len(tokenizer), d_model=64, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64, num_mel_bins=80,
        max_source_positions=50 * seconds, max_target_positions=32, pad_token_id=tokenizer.eos_token_id,
        bos_token_id=tokenizer.eos_token_id, eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=ids["<|startoftranscript|>"], suppress_tokens=[], begin_suppress_tokens=None,
    )  # fmt: skip
    model = seeded(WhisperForConditionalGeneration, config)
    lists = {} if english_only else {
        "lang_to_id": {f"<|{code}|>": ids[f"<|{code}|>"] for code in languages},
        "task_to_id": {task: ids[f"<|{task}|>"] for task in ("translate", "transcribe")},
    }  # fmt: skip
    model.generation_config = GenerationConfig(
        is_multilingual=not english_only, no_timestamps_token_id=ids["<|notimestamps|>"],
        prev_sot_token_id=ids["<|startofprev|>"], alignment_heads=[[0, 0], [0, 1]], max_initial_timestamp_index=50,
        return_timestamps=False, max_length=32, decoder_start_token_id=config.decoder_start_token_id,
        pad_token_id=config.pad_token_id, bos_token_id=config.bos_token_id, eos_token_id=config.eos_token_id, **lists,
    )  # fmt: skip
    model.generation_config._from_model_config = False  # or the lists would be dropped on load
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    WhisperFeatureExtractor(chunk_length=seconds, return_attention_mask=False).save_pretrained(folder)
    return folder


def write_whisper_english(folder: Path, seconds: int = 30) -> Path:
    """Write an English-only Whisper (as whisper-base.en), else as `write_whisper`."""
    return write_whisper(folder, seconds, english_only=True)


def write_ctc_english(folder: Path) -> Path:
    """Write a wav2vec2 as wav2vec2-base-960h: upper-case letters, | between words, strides of 320 samples in all."""
    return _write_wav2vec2(folder, ENGLISH, feat_extract_norm="group")


def write_ctc_chinese(folder: Path) -> Path:
    """Write a wav2vec2 as the XLSR ones: Chinese characters, layer norm."""
    return _write_wav2vec2(folder, CHINESE, feat_extract_norm="layer", do_stable_layer_norm=True, conv_bias=True)


def _write_wav2vec2(folder: Path, characters: list[str], **changes: Any) -> Path:
    from transformers import Wav2Vec2Config, Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC

    config = Wav2Vec2Config(
        vocab_size=len(characters), hidden_size=64, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        conv_dim=(32,) * 6 + (64,), num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2, pad_token_id=0,
        bos_token_id=1, eos_token_id=2, **changes,
    )  # fmt: skip
    seeded(Wav2Vec2ForCTC, config).save_pretrained(folder)
    vocabulary = folder / "vocab.json"
    vocabulary.write_text(json.dumps({character: place for place, character in enumerate(characters)}), "utf-8")
    Wav2Vec2CTCTokenizer(str(vocabulary)).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(return_attention_mask=False, do_normalize=True).save_pretrained(folder)
    return folder


def write_vits(folder: Path, speakers: int = 1, **tokenizer: Any) -> Path:
    """Write a VITS as the MMS-TTS ones: lower-case letters, blanks between, 16 kHz."""
    from transformers import VitsConfig, VitsModel, VitsTokenizer

    characters = [*"kabcdefghijlmnopqrstuvwxyz'- ", "<unk>"]
    config = VitsConfig(
        vocab_size=len(characters), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, ffn_dim=32,
        flow_size=16, spectrogram_bins=33, upsample_initial_channel=32, upsample_rates=[8, 8, 4],
        upsample_kernel_sizes=[16, 16, 8], resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1, 3]],
        prior_encoder_num_flows=2, prior_encoder_num_wavenet_layers=1, posterior_encoder_num_wavenet_layers=1,
        duration_predictor_num_flows=2, duration_predictor_filter_channels=16, wavenet_dilation_rate=1,
        num_speakers=speakers, speaker_embedding_size=8 if speakers > 1 else 0, sampling_rate=16_000,
    )  # fmt: skip
    seeded(VitsModel, config).save_pretrained(folder)
    vocabulary = folder / "vocab.json"
    vocabulary.write_text(json.dumps({character: place for place, character in enumerate(characters)}), "utf-8")
    settings = {"language": "eng", "phonemize": False, "is_uroman": False, **tokenizer}
    VitsTokenizer(str(vocabulary), pad_token=characters[0], **settings).save_pretrained(folder)
    return folder


def write_speecht5(folder: Path, vocoder: str = "vocoder") -> Path:
    """Write a SpeechT5 for synthesis with its HiFi-GAN in the sub-folder `vocoder`: characters by SentencePiece."""
    import sentencepiece
    from transformers import (
        SpeechT5Config,
        SpeechT5FeatureExtractor,
        SpeechT5ForTextToSpeech,
        SpeechT5HifiGan,
        SpeechT5HifiGanConfig,
        SpeechT5Tokenizer,
    )

    folder.mkdir(parents=True, exist_ok=True)
    pangrams = ["the quick brown fox jumps over the lazy dog", "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG", ".,!?'-"]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(pangrams), model_prefix=str(folder / "spm_char"), model_type="char", vocab_size=66,
        hard_vocab_limit=False, bos_id=0, pad_id=1, eos_id=2, unk_id=3, minloglevel=2,
    )  # fmt: skip
    (folder / "spm_char.vocab").unlink()
    tokenizer = SpeechT5Tokenizer(str(folder / "spm_char.model"))
    config = SpeechT5Config(
        vocab_size=len(tokenizer), hidden_size=32, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64, num_mel_bins=16, reduction_factor=2,
        speech_decoder_prenet_units=16, speech_decoder_postnet_units=16, speech_decoder_postnet_layers=2,
        speech_decoder_postnet_kernel=3, speaker_embedding_dim=8, encoder_max_relative_position=16,
    )  # fmt: skip
    model = seeded(SpeechT5ForTextToSpeech, config)
    model.speech_decoder_postnet.prob_out.bias.data.fill_(-5)  # it speaks 10 frames for each character
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    SpeechT5FeatureExtractor(num_mel_bins=16).save_pretrained(folder)
    gan = SpeechT5HifiGanConfig(
        model_in_dim=16, upsample_initial_channel=16, upsample_rates=[4, 4, 4, 4], upsample_kernel_sizes=[8, 8, 8, 8],
        resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1, 3]], initializer_range=0.1,
    )  # fmt: skip
    seeded(SpeechT5HifiGan, gan).save_pretrained(folder / vocoder)
    return folder
