"""Request examples of the dose-volume route."""

from collections.abc import Mapping
from typing import Any, Final

_LUNG = {
    "id": "lungs",
    "organ": "lung",
    "dvh": {
        "kind": "cumulative",
        "dose_gy": [0.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 66.0],
        "volume": [100.0, 48.0, 36.0, 24.0, 16.0, 10.0, 6.0, 2.5, 0.0],
        "volume_unit": "percent",
        "total_volume_cm3": 3900.0,
    },
}
_HEART = {
    "id": "heart",
    "organ": "heart",
    "dvh": {
        "kind": "cumulative",
        "dose_gy": [0.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 62.0],
        "volume": [100.0, 42.0, 30.0, 17.0, 9.0, 5.0, 2.0, 0.0],
        "volume_unit": "percent",
        "total_volume_cm3": 640.0,
    },
}
_ESOPHAGUS = {
    "id": "esophagus",
    "organ": "esophagus",
    "dvh": {
        "kind": "cumulative",
        "dose_gy": [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 64.0],
        "volume": [34.0, 21.0, 17.0, 14.0, 11.0, 8.0, 3.0, 0.0],
        "volume_unit": "cm3",
    },
}
_CORD = {
    "id": "spinal_cord",
    "organ": "spinal_cord",
    "dvh": {
        "kind": "cumulative",
        "dose_gy": [0.0, 10.0, 20.0, 30.0, 40.0, 45.0],
        "volume": [100.0, 52.0, 38.0, 25.0, 9.0, 0.0],
        "volume_unit": "percent",
        "total_volume_cm3": 44.0,
    },
}
_TARGET = {
    "id": "ptv",
    "target": True,
    "dvh": {
        "kind": "differential",
        "dose_gy": [56.5, 58.0, 59.0, 60.0, 61.0, 62.0, 63.0],
        "volume": [2.0, 8.0, 40.0, 120.0, 85.0, 25.0, 4.0],
        "volume_unit": "cm3",
    },
}

EXAMPLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "lung_60_in_30": {
        "fraction_count": 30,
        "prescribed_dose_gy": 60.0,
        "structures": [_TARGET, _LUNG, _HEART, _ESOPHAGUS, _CORD],
        "geud_exponents": [1.0, 8.0],
        "factors": {
            "age_years": 66.0,
            "sex": "female",
            "smoking_status": "former",
            "pulmonary_comorbidity": True,
            "middle_or_lower_lobe": False,
            "sequential_chemotherapy": False,
            "concurrent_chemotherapy": True,
            "immunotherapy_consolidation": True,
            "t_stage_3_or_4": False,
        },
        "tumor_control": [{"structure_id": "ptv", "preset": "nsclc"}],
        "window": {},
    },
    "own_complication_model": {
        "fraction_count": 25,
        "structures": [
            {
                **_LUNG,
                "complication_models": [
                    {
                        "id": "local-pneumonitis",
                        "endpoint": "pneumonitis grade 2 or higher",
                        "form": "lyman",
                        "parameters": {"td50_gy": 30.0, "m": 0.35, "n": 1.0},
                        "intervals": {"td50_gy": {"level": 0.95, "lower": 26.0, "upper": 36.0}},
                        "alpha_beta_gy": 3.0,
                    }
                ],
            }
        ],
        "metrics": ["V20Gy", "V5Gy", "D2%"],
    },
}
