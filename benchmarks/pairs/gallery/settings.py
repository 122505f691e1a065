"""The settings of the networks of transformers: the smallest that still have two of everything, no dropout."""

from typing import Any

BERT: dict[str, Any] = {
    "vocab_size": 61, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64,
    "max_position_embeddings": 16, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
}  # fmt: skip
BART: dict[str, Any] = {
    "vocab_size": 61, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
    "decoder_attention_heads": 4, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "max_position_embeddings": 16,
    "dropout": 0.0, "attention_dropout": 0.0, "activation_dropout": 0.0, "use_cache": False,
}  # fmt: skip
ROBERTA: dict[str, Any] = {**BERT, "max_position_embeddings": 20}
T5: dict[str, Any] = {
    "vocab_size": 61, "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4, "dropout_rate": 0.0,
    "use_cache": False,
}  # fmt: skip
LLAMA: dict[str, Any] = {
    "vocab_size": 61, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64,
    "max_position_embeddings": 16, "attention_dropout": 0.0, "use_cache": False,
}  # fmt: skip
VISION: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64, "image_size": 32,
    "patch_size": 8, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
}  # fmt: skip

DINO: dict[str, Any] = {**VISION, "mlp_ratio": 2, "drop_path_rate": 0.0}
WAVES: dict[str, Any] = {
    "vocab_size": 32, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64,
    "conv_dim": [16, 16], "conv_stride": [5, 2], "conv_kernel": [10, 3], "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2, "do_stable_layer_norm": True, "feat_extract_norm": "layer",
    "hidden_dropout": 0.0, "attention_dropout": 0.0, "activation_dropout": 0.0, "feat_proj_dropout": 0.0,
    "layerdrop": 0.0, "mask_time_prob": 0.05, "apply_spec_augment": False, "conv_bias": True,
}  # fmt: skip
CLIP_TEXT: dict[str, Any] = {**LLAMA, "projection_dim": 16}
CLIP_VISION: dict[str, Any] = {**VISION, "attention_dropout": 0.0, "projection_dim": 16}
DECODER: dict[str, Any] = {
    **BERT,
    "model_type": "bert",
    "is_decoder": True,
    "add_cross_attention": True,
    "use_cache": False,
}
BLOOM: dict[str, Any] = {
    "vocab_size": 61, "hidden_size": 32, "n_layer": 2, "n_head": 4, "hidden_dropout": 0.0, "attention_dropout":
    0.0, "use_cache": False,
}  # fmt: skip
DISTILBERT: dict[str, Any] = {
    "vocab_size": 61, "dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64, "max_position_embeddings": 16,
    "dropout": 0.0, "attention_dropout": 0.0,
}  # fmt: skip
GEMMA: dict[str, Any] = {
    **LLAMA, "num_key_value_heads": 2, "head_dim": 8, "hidden_activation": "gelu_pytorch_tanh",
}  # fmt: skip
GPT2: dict[str, Any] = {
    "vocab_size": 61, "n_positions": 16, "n_embd": 32, "n_layer": 2, "n_head": 4, "attn_pdrop": 0.0,
    "embd_pdrop": 0.0, "resid_pdrop": 0.0, "use_cache": False,
}  # fmt: skip
GPT_NEO: dict[str, Any] = {
    "vocab_size": 61, "hidden_size": 32, "num_layers": 2, "attention_types": [[["global", "local"], 1]],
    "num_heads": 4, "window_size": 4, "max_position_embeddings": 16, "resid_dropout": 0.0, "embed_dropout": 0.0,
    "attention_dropout": 0.0, "use_cache": False,
}  # fmt: skip
GPTJ: dict[str, Any] = {
    "vocab_size": 61, "n_positions": 16, "n_embd": 32, "n_layer": 2, "n_head": 4, "rotary_dim": 4, "attn_pdrop":
    0.0, "embd_pdrop": 0.0, "resid_pdrop": 0.0, "use_cache": False,
}  # fmt: skip
LONGT5: dict[str, Any] = {
    **T5, "local_radius": 3, "encoder_attention_type": "local",
}  # fmt: skip
MARIAN: dict[str, Any] = {
    **BART, "pad_token_id": 0,
}  # fmt: skip
MISTRAL: dict[str, Any] = {
    **LLAMA, "num_key_value_heads": 2, "sliding_window": 4,
}  # fmt: skip
MISTRAL_NO_WINDOW: dict[str, Any] = {
    **LLAMA, "num_key_value_heads": 2, "sliding_window": None,
}  # fmt: skip
MISTRAL_LONG_WINDOW: dict[str, Any] = {
    **LLAMA, "num_key_value_heads": 2, "sliding_window": 16,
}  # fmt: skip
LLAMA_3: dict[str, Any] = {
    **LLAMA, "rope_theta": 500000.0,
}  # fmt: skip
OPT: dict[str, Any] = {
    "vocab_size": 61, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "ffn_dim": 64,
    "max_position_embeddings": 16, "dropout": 0.0, "word_embed_proj_dim": 32, "use_cache": False,
}  # fmt: skip
REGNET: dict[str, Any] = {
    "embedding_size": 8, "hidden_sizes": [16, 32], "depths": [1, 2], "groups_width": 8,
}  # fmt: skip
RESNET: dict[str, Any] = {
    "embedding_size": 8, "hidden_sizes": [16, 32], "depths": [1, 2],
}  # fmt: skip
XGLM: dict[str, Any] = {
    "vocab_size": 61, "d_model": 32, "ffn_dim": 64, "num_layers": 2, "attention_heads": 4,
    "max_position_embeddings": 16, "dropout": 0.0, "attention_dropout": 0.0, "activation_dropout": 0.0,
    "use_cache": False,
}  # fmt: skip
CLIP: dict[str, Any] = {
    "projection_dim": 16, "text_config": CLIP_TEXT, "vision_config": CLIP_VISION,
}  # fmt: skip
ENCODER_DECODER: dict[str, Any] = {
    "encoder": {"model_type": "bert", **BERT}, "decoder": DECODER,
}  # fmt: skip
SPEECH_ENCODER_DECODER: dict[str, Any] = {
    "encoder": {"model_type": "wav2vec2", **WAVES}, "decoder": DECODER,
}  # fmt: skip
VISION_ENCODER_DECODER: dict[str, Any] = {
    "encoder": {"model_type": "vit", **VISION}, "decoder": DECODER,
}  # fmt: skip
VISION_TEXT_DUAL_ENCODER: dict[str, Any] = {
    "projection_dim": 16, "vision_config": {"model_type": "vit", **VISION}, "text_config": {"model_type":
    "bert", **BERT},
}  # fmt: skip
WHISPER: dict[str, Any] = {
    **{**BART, "max_source_positions": 20}, "num_mel_bins": 8, "max_target_positions": 16, "pad_token_id": 0,
    "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1,
}  # fmt: skip
