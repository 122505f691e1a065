"""The documents of the bugs: row of docs/porting-bugs.md → the links of that row."""

LINKS: dict[str, tuple[str, ...]] = {
    "1": ("https://flax.readthedocs.io/en/stable/migrating/convert_pytorch_to_flax.html",),
    "2": ("https://github.com/huggingface/transformers/pull/11883",),
    "3": ("https://github.com/helper2424/resnet10/pull/2",),
    "4": (
        "https://flax.readthedocs.io/en/stable/migrating/convert_pytorch_to_flax.html",
        "https://github.com/MegEngine/mgeconvert/pull/78",
    ),
    "5": (
        "https://github.com/jax-ml/jax/issues/11252",
        "https://github.com/google/flax/issues/3137",
        "https://github.com/google/flax/pull/2578",
    ),
    "6": (
        "https://github.com/keras-team/keras/pull/22876",
        "https://github.com/keras-team/keras-core/issues/774",
    ),
    "7": ("https://github.com/pytorch/pytorch/issues/750",),
    "8": ("https://github.com/google/flax/issues/3746",),
    "10": (
        "https://github.com/google/flax/issues/5594",
        "https://github.com/patrick-kidger/equinox/issues/1003",
    ),
    "11": (
        "https://github.com/pytorch/pytorch/pull/100646",
        "https://github.com/tracel-ai/burn/pull/2704",
    ),
    "12": ("https://github.com/google/flax/issues/2011",),
    "13": (
        "https://github.com/huggingface/transformers/issues/16288",
        "https://github.com/huggingface/transformers/pull/16298",
    ),
    "14": (
        "https://github.com/huggingface/diffusers/pull/1149",
        "https://github.com/huggingface/diffusers/pull/1369",
        "https://github.com/patil-suraj/stable-diffusion-jax/pull/7",
    ),
    "15": (
        "https://github.com/mlcommons/algorithmic-efficiency/pull/135",
        "https://github.com/mlcommons/algorithmic-efficiency/pull/637",
    ),
    "16": (
        "https://github.com/huggingface/transformers/issues/16733",
        "https://github.com/huggingface/transformers/issues/26813",
        "https://github.com/huggingface/transformers/issues/12545",
    ),
    "17": (
        "https://github.com/onnx/onnx/pull/7274",
        "https://github.com/line/lighthouse/pull/77",
    ),
    "19": ("https://github.com/google/flax/issues/4138",),
    "20": (
        "https://flax.readthedocs.io/en/stable/migrating/convert_pytorch_to_flax.html",
        "https://github.com/mlcommons/algorithmic-efficiency/pull/135",
    ),
    "21": ("https://github.com/mlcommons/algorithmic-efficiency/pull/595",),
    "23": ("https://github.com/mlcommons/algorithmic-efficiency/pull/199",),
    "25": (
        "https://github.com/google/flax/issues/963",
        "https://github.com/mlcommons/algorithmic-efficiency/pull/231",
    ),
    "26": ("https://github.com/mlcommons/algorithmic-efficiency/pull/248",),
    "29": (
        "https://github.com/google/flax/issues/2401",
        "https://github.com/google/flax/pull/2451",
    ),
    "31": ("https://github.com/sayakpaul/cmmd-pytorch/issues/4",),
    "32": ("https://github.com/jax-ml/jax/issues/15768",),
    "34": (
        "https://github.com/google/flax/issues/2214",
        "https://github.com/jax-ml/jax/issues/11206",
    ),
    "35": ("https://github.com/patrick-kidger/equinox/issues/641",),
    "36": (
        "https://github.com/scverse/scvi-tools/pull/2309",
        "https://github.com/mlcommons/algorithmic-efficiency/pull/798",
    ),
    "37": ("https://flax.readthedocs.io/en/stable/migrating/convert_pytorch_to_flax.html",),
    "38": (
        "https://github.com/pytorch/pytorch/issues/77427",
        "https://github.com/pytorch/pytorch/issues/60528",
    ),
    "39": (
        "https://github.com/mlcommons/algorithmic-efficiency/pull/325",
        "https://github.com/mlcommons/algorithmic-efficiency/pull/231",
    ),
    "40": ("https://github.com/mlcommons/algorithmic-efficiency/pull/798",),
    "41": (
        "https://github.com/google/flax/issues/1491",
        "https://github.com/patrick-kidger/equinox/pull/314",
    ),
    "42": (
        "https://github.com/mlcommons/algorithmic-efficiency/pull/144",
        "https://github.com/google/flax/issues/319",
        "https://github.com/google/flax/issues/877",
        "https://github.com/mlcommons/algorithmic-efficiency/pull/135",
    ),
    "43": ("https://github.com/google/flax/issues/2417",),
    "45": ("https://github.com/r9y9/tacotron_pytorch/issues/19",),
    "47": (
        "https://github.com/google/flax/issues/2195",
        "https://github.com/mlcommons/algorithmic-efficiency/pull/229",
        "https://github.com/mlcommons/algorithmic-efficiency/pull/596",
    ),
    "51": (
        "https://github.com/goodfire-ai/spd/issues/624",
        "https://github.com/jax-ml/jax/issues/4428",
        "https://github.com/huggingface/transformers/pull/11364",
        "https://github.com/mlcommons/algorithmic-efficiency/pull/590",
    ),
    "52": ("https://github.com/mindspore-lab/mindone/pull/225",),
    "55": (
        "https://github.com/mlcommons/algorithmic-efficiency/pull/125",
        "https://github.com/k2-fsa/icefall/issues/107",
    ),
    "58": ("https://github.com/mlcommons/algorithmic-efficiency/issues/318",),
    "65": ("https://github.com/pytorch/pytorch/issues/50010",),
    "69": (
        "https://github.com/google-deepmind/optax/issues/532",
        "https://github.com/pytorch/pytorch/issues/23796",
        "https://github.com/DLR-RM/stable-baselines3/pull/110",
    ),
    "73": ("https://github.com/google-deepmind/optax/issues/417",),
    "75": ("https://github.com/vwxyzjn/lm-human-preference-details/pull/23",),
    "76": ("https://github.com/goodfire-ai/spd/issues/760",),
    "77": (
        "https://github.com/google-deepmind/optax/issues/571",
        "https://github.com/pytorch/pytorch/issues/104857",
    ),
    "78": (
        "https://github.com/google-deepmind/optax/issues/1389",
        "https://github.com/pytorch/pytorch/issues/142323",
    ),
    "79": (
        "https://github.com/google-deepmind/optax/pull/719",
        "https://github.com/rwth-i6/returnn/issues/1440",
    ),
    "82": ("https://github.com/pytorch/pytorch/issues/1099",),
    "84": (
        "https://github.com/huggingface/transformers/issues/11936",
        "https://github.com/huggingface/transformers/pull/18273",
        "https://github.com/salesforce/jaxformer/issues/28",
    ),
    "86": (
        "https://github.com/goodfire-ai/spd/issues/643",
        "https://github.com/goodfire-ai/spd/pull/821",
    ),
    "88": ("https://github.com/goodfire-ai/spd/issues/642",),
    "91": (
        "https://github.com/google-deepmind/optax/issues/415",
        "https://github.com/google-deepmind/optax/pull/1744",
    ),
    "92": ("https://github.com/google-deepmind/optax/issues/835",),
    "96": ("https://github.com/huggingface/pytorch-image-models/issues/1182",),
    "97": ("https://github.com/mlcommons/algorithmic-efficiency/issues/809",),
    "98": ("https://github.com/jax-ml/jax/issues/37820",),
    "101": (
        "https://github.com/jax-ml/jax/issues/13600",
        "https://github.com/pytorch/pytorch/issues/56734",
    ),
    "102": (
        "https://github.com/jax-ml/jax/issues/4177",
        "https://github.com/pytorch/pytorch/pull/2775",
    ),
    "104": ("https://github.com/pytorch/pytorch/issues/23395",),
    "106": (
        "https://github.com/jax-ml/jax/issues/4862",
        "https://github.com/mlcommons/algorithmic-efficiency/issues/189",
        "https://github.com/mlcommons/algorithmic-efficiency/pull/194",
    ),
    "107": (
        "https://github.com/mlcommons/algorithmic-efficiency/pull/819",
        "https://github.com/google/flax/issues/4091",
    ),
    "109": ("https://github.com/pytorch/pytorch/pull/18334",),
    "110": ("https://github.com/pytorch/pytorch/issues/20102",),
    "114": (
        "https://github.com/mlcommons/algorithmic-efficiency/pull/271",
        "https://github.com/mlcommons/algorithmic-efficiency/pull/888",
    ),
    "116": (
        "https://github.com/jax-ml/jax/issues/170",
        "https://github.com/google/flax/issues/4950",
    ),
    "117": (
        "https://github.com/mlcommons/algorithmic-efficiency/pull/173",
        "https://github.com/mlcommons/algorithmic-efficiency/pull/268",
        "https://github.com/dunnolab/xland-minigrid/issues/42",
    ),
    "119": ("https://github.com/mlcommons/algorithmic-efficiency/pull/196",),
    "121": ("https://github.com/LCAV/LenslessPiCam/pull/173",),
    "122": (
        "https://github.com/huggingface/transformers/issues/27601",
        "https://github.com/pytorch/vision/issues/2950",
        "https://github.com/mlcommons/inference/issues/201",
    ),
    "123": ("https://github.com/pytorch/pytorch/issues/25162",),
    "124": ("https://github.com/pytorch/pytorch/issues/31771",),
    "125": ("https://github.com/xingyizhou/CenterNet/issues/233",),
    "126": ("https://github.com/mlcommons/algorithmic-efficiency/pull/533",),
    "127": ("https://github.com/mlcommons/algorithmic-efficiency/pull/254",),
    "128": (
        "https://github.com/typoverflow/flow-rl/pull/12",
        "https://docs.jax.dev/en/latest/201/precision.html",
        "https://github.com/jax-ml/jax/issues/12008",
    ),
    "129": ("https://github.com/google/jax/pull/7859",),
    "131": ("https://github.com/Physical-Intelligence/openpi/issues/989",),
    "132": (
        "https://github.com/google-deepmind/gemma/issues/367",
        "https://github.com/pytorch/pytorch/issues/168126",
    ),
    "133": ("https://github.com/jax-ml/jax/issues/652",),
    "134": ("https://github.com/jax-ml/jax/issues/9839",),
    "136": ("https://github.com/goodfire-ai/spd/pull/790",),
    "137": (
        "https://github.com/huggingface/transformers/pull/19494",
        "https://github.com/huggingface/transformers/pull/18297",
        "https://github.com/mlcommons/algorithmic-efficiency/pull/325",
    ),
    "139": (
        "https://github.com/huggingface/transformers/issues/20761",
        "https://github.com/EleutherAI/gpt-neox/pull/650",
    ),
    "150": (
        "https://github.com/pytorch/pytorch/issues/3844",
        "https://github.com/pytorch/pytorch/issues/59511",
    ),
    "151": (
        "https://github.com/pyg-team/pytorch_geometric/issues/699",
        "https://github.com/danielegrattarola/spektral/issues/240",
    ),
    "152": (
        "https://github.com/google-deepmind/graph_nets/issues/135",
        "https://github.com/deepchem/deepchem/pull/3291",
    ),
    "154": (
        "https://github.com/RLinf/RLinf/issues/1568",
        "https://github.com/pytorch/pytorch/issues/19699",
    ),
    "155": (
        "https://github.com/openai/baselines/issues/91",
        "https://github.com/tensorflow/agents/issues/352",
    ),
    "156": (
        "https://github.com/ToruOwO/minimal-stable-PPO/issues/3",
        "https://github.com/bmazoure/ppo_jax/issues/2",
    ),
    "140": (
        "https://github.com/facebookresearch/xformers/issues/103",
        "https://github.com/pytorch/executorch/pull/22443",
    ),
    "138": ("https://github.com/jax-ml/jax/issues/3970",),
    "170": (
        "https://github.com/pytorch/torchtitan/issues/1448",
        "https://github.com/lablup/mlxcel/pull/391",
        "https://github.com/Lightning-AI/litgpt/issues/2013",
    ),
    "171": ("https://github.com/divyamakkar0/JAXformer/issues/21",),
    "172": ("https://github.com/TIML-Group/Robust-MoE-Dual-Model/issues/2",),
    "173": (
        "https://github.com/kohya-ss/sd-scripts/pull/1187",
        "https://github.com/huggingface/diffusers/pull/12791",
    ),
    "174": ("https://github.com/labmlai/annotated_deep_learning_paper_implementations/issues/165",),
    "175": ("https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix/pull/110",),
    "176": (
        "https://github.com/cloneofsimo/minRF/issues/6",
        "https://github.com/NVIDIA/flashdreams/pull/284",
    ),
    "177": (
        "https://github.com/facebookresearch/mae/issues/18",
        "https://github.com/huggingface/diffusers/pull/10877",
    ),
    "160": (
        "https://github.com/pytorch/pytorch/issues/4927",
        "https://github.com/pytorch/pytorch/issues/3584",
    ),
    "161": (
        "https://github.com/google/flax/pull/2604",
        "https://github.com/pytorch/pytorch/issues/517",
    ),
    "162": (
        "https://github.com/IDEA-Research/GroundingDINO/issues/427",
        "https://github.com/TransformerLensOrg/TransformerLens/issues/240",
    ),
    "163": (
        "https://github.com/keras-team/keras/pull/9972",
        "https://github.com/rachtsingh/ibp_vae/issues/3",
    ),
    "164": (
        "https://github.com/keras-team/keras-io/issues/270",
        "https://github.com/mkusner/grammarVAE/issues/2",
    ),
}
