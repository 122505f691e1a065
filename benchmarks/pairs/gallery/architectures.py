"""The pairs of transformers by name: the class of both sides, the class of its settings, what it is called with."""

from typing import Any

from benchmarks.pairs.gallery import settings as use
from benchmarks.pairs.gallery.entry import GalleryPair, MadePair


def _transformers(
    *place: str, because: tuple[str, ...] = (), accept: tuple[str, ...] = (), **settings: Any
) -> GalleryPair:
    """A pair of `transformers_pair`."""

    def make() -> MadePair:
        from benchmarks.pairs.gallery.makers.transformers_ import transformers_pair

        return transformers_pair(*place, **settings)

    return GalleryPair("transformers 4.57.6", make, "different" if because else "same", because, accept)


ARCHITECTURES: dict[str, GalleryPair] = {
    "albert": _transformers("AlbertModel", "AlbertConfig", **use.BERT, embedding_size=16, classifier_dropout_prob=0.0),
    "bart": _transformers("BartForConditionalGeneration", "BartConfig", "translation", **use.BART),
    "beit": _transformers("BeitModel", "BeitConfig", "pixels", **use.VISION, drop_path_rate=0.0),
    "bert": _transformers("BertModel", "BertConfig", **use.BERT),
    "bert with padding's id": _transformers("BertModel", "BertConfig", "padded", **use.BERT, because=("padding-row",)),
    "bert masked head": _transformers("BertForMaskedLM", "BertConfig", **use.BERT),
    "bert sequence head": _transformers("BertForSequenceClassification", "BertConfig", **use.BERT),
    "big bird": _transformers("BigBirdModel", "BigBirdConfig", **use.BERT, attention_type="original_full"),
    "blenderbot": _transformers("BlenderbotForConditionalGeneration", "BlenderbotConfig", "translation", **use.BART),
    "blenderbot small": _transformers(
        "BlenderbotSmallForConditionalGeneration", "BlenderbotSmallConfig", "translation", **use.BART
    ),
    "bloom": _transformers("BloomForCausalLM", "BloomConfig", **use.BLOOM),
    "distilbert": _transformers("DistilBertForMaskedLM", "DistilBertConfig", **use.DISTILBERT),
    "dinov2": _transformers("Dinov2Model", "Dinov2Config", "pixels", **use.DINO, accept=("odd_sizes", "larger_images")),
    "dinov2 at another size": _transformers(
        "Dinov2Model", "Dinov2Config", "larger_pixels", **use.DINO, because=("dinov2-sizes",)
    ),
    "electra": _transformers("ElectraForPreTraining", "ElectraConfig", **use.BERT, embedding_size=16),
    "gemma": _transformers("GemmaForCausalLM", "GemmaConfig", **use.GEMMA),
    "gpt2": _transformers("GPT2LMHeadModel", "GPT2Config", **use.GPT2),
    "gpt neo": _transformers("GPTNeoForCausalLM", "GPTNeoConfig", **use.GPT_NEO),
    "gptj": _transformers("GPTJForCausalLM", "GPTJConfig", **use.GPTJ),
    "llama": _transformers("LlamaForCausalLM", "LlamaConfig", **use.LLAMA, num_key_value_heads=2),
    "longt5": _transformers("LongT5ForConditionalGeneration", "LongT5Config", "translation", **use.LONGT5),
    "marian": _transformers("MarianMTModel", "MarianConfig", "translation", **use.MARIAN, because=("marian-bias",)),
    "mbart": _transformers("MBartForConditionalGeneration", "MBartConfig", "translation", **use.BART),
    "mistral": _transformers("MistralForCausalLM", "MistralConfig", **use.MISTRAL, because=("mistral-window",)),
    "mistral without a window": _transformers(
        "MistralForCausalLM", "MistralConfig", **use.MISTRAL_NO_WINDOW, because=("mistral-no-window",)
    ),
    "mistral with a long window": _transformers("MistralForCausalLM", "MistralConfig", **use.MISTRAL_LONG_WINDOW),
    "llama with llama 3's rope_theta": _transformers(
        "LlamaForCausalLM", "LlamaConfig", **use.LLAMA_3, because=("rope-theta",)
    ),
    "mt5": _transformers("MT5ForConditionalGeneration", "MT5Config", "translation", **use.T5),
    "opt": _transformers("OPTForCausalLM", "OPTConfig", **use.OPT),
    "pegasus": _transformers("PegasusForConditionalGeneration", "PegasusConfig", "translation", **use.BART),
    "regnet": _transformers(
        "RegNetModel", "RegNetConfig", "pixels", **use.REGNET, because=("regnet-train",), accept=("running_var_bias",)
    ),
    "resnet": _transformers("ResNetModel", "ResNetConfig", "pixels", **use.RESNET, accept=("running_var_bias",)),
    "roberta": _transformers("RobertaForMaskedLM", "RobertaConfig", **use.ROBERTA),
    "roberta pre-layer-norm": _transformers("RobertaPreLayerNormModel", "RobertaPreLayerNormConfig", **use.ROBERTA),
    "roformer": _transformers(
        "RoFormerForMaskedLM", "RoFormerConfig", **use.BERT, embedding_size=32, rotary_value=False
    ),
    "t5": _transformers("T5ForConditionalGeneration", "T5Config", "translation", **use.T5),
    "vit": _transformers("ViTForImageClassification", "ViTConfig", "pixels", **use.VISION),
    "xglm": _transformers("XGLMForCausalLM", "XGLMConfig", **use.XGLM),
    "xlm-roberta": _transformers("XLMRobertaModel", "XLMRobertaConfig", **use.ROBERTA),
    "clip": _transformers("CLIPModel", "CLIPConfig", "captioned", **use.CLIP),
    "encoder-decoder": _transformers(
        "EncoderDecoderModel", "EncoderDecoderConfig", "translation", **use.ENCODER_DECODER
    ),
    "speech encoder-decoder": _transformers(
        "SpeechEncoderDecoderModel", "SpeechEncoderDecoderConfig", "transcribed", **use.SPEECH_ENCODER_DECODER
    ),
    "vision encoder-decoder": _transformers(
        "VisionEncoderDecoderModel", "VisionEncoderDecoderConfig", "described", **use.VISION_ENCODER_DECODER
    ),
    "vision-text dual encoder": _transformers(
        "VisionTextDualEncoderModel", "VisionTextDualEncoderConfig", "captioned", **use.VISION_TEXT_DUAL_ENCODER
    ),
    "wav2vec2": _transformers("Wav2Vec2Model", "Wav2Vec2Config", "sound", **use.WAVES),
    "whisper": _transformers("WhisperForConditionalGeneration", "WhisperConfig", "spectrogram", **use.WHISPER),
}
