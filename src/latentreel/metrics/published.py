"""Scores as the papers printed them, to stand beside one's own of the same protocol. Nothing here was measured by this program."""

from typing import NamedTuple


class Published(NamedTuple):
    """A number of a paper's table."""

    dataset: str
    method: str
    score: str
    value: float
    deviation: float | None
    source: str
    protocol: str | None
    """The protocol here that stands for the paper's; None where there is none."""


class Table(NamedTuple):
    """Numbers of one score on one dataset."""

    source: str
    dataset: str
    score: str
    protocol: str | None
    rows: dict[str, float | tuple[float, float]]
    """By method; with its deviation where the paper gives one."""


_OURS = "MoCoGAN-HD"
_FVD = "mocogan_hd_fvd"

TABLES = (
    Table(
        "Tian et al. 2021, Tab. 2",
        "UCF-101",
        "inception score",
        None,
        {
            "VGAN": (8.31, 0.09),
            "TGAN": (11.85, 0.07),
            "MoCoGAN": (12.42, 0.07),
            "ProgressiveVGAN": (14.56, 0.05),
            "LDVD-GAN": (22.91, 0.19),
            "TGANv2": (26.60, 0.47),
            "DVD-GAN": (27.38, 0.53),
            _OURS: (33.95, 0.25),
        },
    ),
    Table("Tian et al. 2021, Tab. 2", "UCF-101", "FVD", _FVD, {"TGANv2": (1209.0, 28.0), _OURS: (700.0, 24.0)}),
    Table("Tian et al. 2021, Tab. 2", "FaceForensics", "FVD", _FVD, {"real clips": 9.02, "TGANv2": 58.03, _OURS: 53.26}),
    Table("Tian et al. 2021, Tab. 2", "FaceForensics", "ACD", None, {"real clips": 0.2935, "TGANv2": 0.4914, _OURS: 0.3300}),
    Table("Tian et al. 2021, Tab. 3", "Sky Time-lapse", "FVD", _FVD, {"MDGAN": 840.95, "DTVNet": 451.14, _OURS: 77.77}),
    Table(
        "Tian et al. 2021, Tab. 3",
        "Sky Time-lapse",
        "PSNR",
        None,
        {"Up-B": 25.367, "MDGAN": 13.840, "DTVNet": 21.953, _OURS: 22.286},
    ),
    Table(
        "Tian et al. 2021, Tab. 3",
        "Sky Time-lapse",
        "SSIM",
        None,
        {"Up-B": 0.781, "MDGAN": 0.581, "DTVNet": 0.531, _OURS: 0.688},
    ),
    Table(
        "Tian et al. 2021, Tab. 5",
        "UCF-101",
        "inception score",
        None,
        {"w/o Eq. 2": 28.20, "w/o D_I": 33.22, "w/o L_m": 33.84, "full, 128 px": 32.36, "full, 256 px": 33.95},
    ),
    Table(
        "Tian et al. 2021, Tab. 5",
        "UCF-101",
        "FVD",
        _FVD,
        {"w/o Eq. 2": 790.87, "w/o D_I": 796.67, "w/o L_m": 867.43, "full, 128 px": 838.09, "full, 256 px": 700.00},
    ),
    Table(
        "Tian et al. 2021, Tab. 5",
        "FFHQ, VoxCeleb",
        "ACD",
        None,
        {"w/o L_contr": 0.5328, "w/o L_m": 0.5158, "full": 0.4353},
    ),
    Table("Skorokhodov et al. 2022", "UCF-101", "FVD", "stylegan_v_fvd2048_16f", {"StyleGAN-V": 1431.0}),
    Table("Skorokhodov et al. 2022", "Sky Time-lapse", "FVD", "stylegan_v_fvd2048_16f", {"StyleGAN-V": 79.52}),
    Table("Skorokhodov et al. 2022", "Sky Time-lapse", "FVD", "stylegan_v_fvd2048_128f", {"StyleGAN-V": 197.0}),
    Table("Skorokhodov et al. 2022", "FaceForensics", "FVD", "stylegan_v_fvd2048_16f", {"StyleGAN-V": 47.41}),
    Table("Skorokhodov et al. 2022", "FaceForensics", "FVD", "stylegan_v_fvd2048_128f", {"StyleGAN-V": 89.34}),
)


def published(protocol: str | None = None) -> list[Published]:
    """All numbers, or those of one protocol."""
    found = []
    for table in TABLES:
        for method, value in table.rows.items():
            number, deviation = value if isinstance(value, tuple) else (value, None)
            row = Published(table.dataset, method, table.score, number, deviation, table.source, table.protocol)
            found.append(row)
    return found if protocol is None else [row for row in found if row.protocol == protocol]
